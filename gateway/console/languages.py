"""The languages of the console, and instants, days and numbers as each of them writes them."""

from datetime import UTC, date, datetime
from functools import cache, cached_property
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import DateTimePattern, get_date_format, get_datetime_format, get_time_format, parse_pattern
from babel.support import NullTranslations
from flask import g, request
from flask_babel import Babel, Domain, format_date, get_locale, get_translations
from markupsafe import Markup, escape

# By the code of RFC 5646 that pages state, and by which folder of translations.
LANGUAGES = {"en": "English", "zh": "简体中文"}
_TAGS = {"en": "en", "zh": "zh-Hans"}


class TextsOfRequest(Domain):  # type: ignore[misc]  # Flask-Babel has no types.
    """The texts of one language, looked for once a request and not once a text: a page has hundreds."""

    def get_translations(self) -> NullTranslations:
        """Return the texts in the reader's language."""
        if "texts" not in g:
            g.texts = super().get_translations()
        found: NullTranslations = g.texts
        return found


class Texts(Babel):  # type: ignore[misc]  # Flask-Babel has no types.
    """Flask-Babel with `TextsOfRequest` for its texts."""

    @cached_property
    def domain_instance(self) -> Domain:
        """Return what texts are looked up in."""
        return TextsOfRequest(domain=self.domain)


def language_of_request() -> str:
    """Return the language that the reader chose, else the best one that the browser asks for."""
    chosen = request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(list(LANGUAGES), default="en") or "en"


def language_tag() -> str:
    """Return the tag for the page's `lang`."""
    return _TAGS.get(str(get_locale()), "en")


def text(said: str, /, **values: object) -> Markup:
    """Return a text of a page in the reader's language; what is put into it is escaped."""
    texts: NullTranslations = g.get("texts") or get_translations()
    found = Markup(texts.ugettext(said))  # noqa: S704  (ours, and what a translator made of it)
    return found % values if values or "%" in found else found


def instant(at: datetime, zone: str) -> Markup:
    """Return an instant in the time of `zone` (IANA), as a `time` element; the zone is named where it is not UTC's."""
    local = at.astimezone(ZoneInfo(zone) if zone else UTC)
    locale = get_locale()
    shown = escape(f"{_pattern(locale).apply(local, locale)} {local.tzname()}")
    return Markup(f'<time datetime="{at.astimezone(UTC).isoformat()}">{shown}</time>')  # noqa: S704  (escaped above)


@cache
def _pattern(locale: Locale) -> DateTimePattern:
    """Return how a day and a time are written, of medium length; `format_datetime` works it out for each instant."""
    both = str(get_datetime_format("medium", locale)).replace("'", "")
    on, at = get_date_format("medium", locale).pattern, get_time_format("medium", locale).pattern
    return parse_pattern(both.replace("{0}", at).replace("{1}", on))


def day(on: date) -> Markup:
    """Return a day as a `time` element."""
    return Markup('<time datetime="{}">{}</time>').format(on.isoformat(), format_date(on, "medium", rebase=False))
