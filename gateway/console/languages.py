"""The languages of the console, and instants, days and numbers as each of them writes them."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import (
    DateTimePattern,
    get_date_format,
    get_datetime_format,
    get_month_names,
    get_period_names,
    get_time_format,
    parse_pattern,
)
from babel.support import NullTranslations
from flask import g, request
from flask_babel import Babel, Domain, LazyString, get_translations
from markupsafe import Markup, escape

# By the code of RFC 5646 that pages state, and by which folder of translations.
LANGUAGES = {"en": "English", "zh": "简体中文"}
_TAGS = {"en": "en", "zh": "zh-Hans"}
_NOON = 12
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class TextsOfRequest(Domain):  # type: ignore[misc]  # Flask-Babel has no types.
    """The texts of one language, looked for once a request and not once a text: a page has hundreds."""

    def __init__(self, **options: str) -> None:
        """Keep each language's texts once they were read."""
        super().__init__(**options)
        self._read: dict[str, NullTranslations] = {}

    def get_translations(self) -> NullTranslations:
        """Return the texts in the reader's language."""
        if "texts" not in g:
            code = language()
            if code not in self._read:
                self._read[code] = super().get_translations()
            g.texts = self._read[code]
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


def language() -> str:
    """Return the code of the reader's language, looked for once a request."""
    try:
        found: str = g.language
    except AttributeError:
        found = g.language = language_of_request()
    return found


def language_tag() -> str:
    """Return the tag for the page's `lang`."""
    return _TAGS.get(language(), "en")


def later(text: str) -> str:
    """Mark a text to be translated (scripts/collect-texts): `said` looks it up where it is shown."""
    return text


def said(text: str) -> str:
    """Return a text in the reader's language; in English where nobody reads."""
    return str(_texts().ugettext(text))


def lazily(text: str) -> LazyString:
    """Return a text that is looked up each time it is shown, for what is written down before anybody reads it."""
    return LazyString(said, text)


def text(english: str, /, **values: object) -> Markup:
    """Return a text of a page in the reader's language; what is put into it is escaped."""
    found = Markup(_texts().ugettext(english))  # noqa: S704  (ours, and what a translator made of it)
    return found % values if values or "%" in found else found


def _texts() -> NullTranslations:
    """Return the texts in the reader's language: the request's own, once the first was looked for."""
    try:
        found: NullTranslations = g.texts
    except (AttributeError, RuntimeError):
        found = get_translations()
    return found


def instant(at: datetime, zone: str) -> Markup:
    """Return an instant in the time of `zone` (IANA), as a `time` element; the zone is named where it is not UTC's."""
    return instants_in(zone)(at)


def instants_in(zone: str) -> Callable[[datetime], Markup]:
    """Return what writes instants as `instant` does, for a list of them: language and zone are looked for once."""
    writing, where = _writing(language()), ZoneInfo(zone) if zone else UTC

    def write(at: datetime) -> Markup:
        local = at.astimezone(where)
        shown = escape(f"{writing.write(local)} {local.tzname()}")
        return Markup(f'<time datetime="{at.astimezone(UTC).isoformat()}">{shown}</time>')  # noqa: S704  (escaped above)

    return write


class _Writing:
    """How a language writes a day and a time, of medium length; Babel works that out anew for each instant."""

    def __init__(self, locale: Locale) -> None:
        both = str(get_datetime_format("medium", locale)).replace("'", "")
        on, at = get_date_format("medium", locale).pattern, get_time_format("medium", locale).pattern
        self._locale = locale
        self._time = parse_pattern(both.replace("{0}", at).replace("{1}", on))
        self._day = parse_pattern(on)
        # Babel's own mappings look for what each name stands for, each time.
        self._months = dict(get_month_names("abbreviated", "format", locale))
        self._halves = dict(get_period_names("abbreviated", "format", locale))
        self._has_all = set(re.findall(r"%\((\w+)\)s", str(self._time.format))) <= self._fields(_ANY_TIME).keys()

    def write(self, local: datetime) -> str:
        """Write a time as its own clock has it."""
        return self._written(self._time, local)

    def write_day(self, on: date) -> str:
        """Write a day."""
        return self._written(self._day, datetime(on.year, on.month, on.day, tzinfo=UTC))

    def _written(self, pattern: DateTimePattern, local: datetime) -> str:
        return str(pattern.format) % self._fields(local) if self._has_all else pattern.apply(local, self._locale)

    def _fields(self, local: datetime) -> dict[str, str | int]:
        """Return the fields of a pattern as CLDR names them (UTS 35, "Date Field Symbol Table")."""
        return {
            "y": local.year,
            "M": local.month,
            "MMM": self._months[local.month],
            "d": local.day,
            "a": self._halves["am" if local.hour < _NOON else "pm"],
            "h": local.hour % _NOON or _NOON,
            "HH": f"{local.hour:02}",
            "mm": f"{local.minute:02}",
            "ss": f"{local.second:02}",
        }


@lru_cache(maxsize=len(LANGUAGES))
def _writing(code: str) -> _Writing:
    return _Writing(Locale.parse(code))


def day(on: date) -> Markup:
    """Return a day as a `time` element."""
    shown = escape(_writing(language()).write_day(on))
    return Markup(f'<time datetime="{on.isoformat()}">{shown}</time>')  # noqa: S704  (escaped above)
