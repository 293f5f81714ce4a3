"""What a page tells of one sound: its picture, its verdicts in words with figures, and its text's length."""

from dataclasses import dataclass

from babel import Locale, UnknownLocaleError
from flask_babel import format_decimal, get_locale, gettext
from markupsafe import Markup

from gateway.audio.pace import Pace
from gateway.audio.waveform import Sound, Verdict
from gateway.console.waveform_picture import waveform
from gateway.console.words import word
from gateway.domain.notice import PUBLIC_NOTICE_MAX_SECONDS, Purpose
from gateway.workflows.read_notice_board import NoticeBoard, ShownNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A sound to be heard: where from, its picture, and what is to be thought of it."""

    key: str
    purpose: Purpose
    language: str
    src: str
    picture: Markup
    level: str
    length: str
    level_is_good: bool
    length_is_good: bool
    notice: ShownNotice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long all languages of a notice are together, in words, and whether that may be played."""

    text: str
    is_good: bool


def tongue(tag: str) -> str:
    """Return what a language (BCP 47) is called in the reader's; its tag where nobody named it."""
    try:
        named = Locale.parse(tag, sep="-").get_display_name(get_locale())
    except (UnknownLocaleError, ValueError):
        named = None
    return named or tag


def decimal(number: float) -> str:
    """Write a figure with one decimal, as the reader's language has it."""
    return str(format_decimal(number, format="0.0"))


def card(notice: ShownNotice, src: str) -> Card:
    """Return the card of a notice that is heard from `src`; without its file there is nothing to see of it."""
    name = gettext("%(purpose)s in %(language)s", purpose=word(notice.purpose), language=tongue(notice.language))
    state = "played" if notice.approved_by else "proposed"
    key = f"{state}-{notice.purpose.value}-{notice.language}"
    if notice.sound is None:
        return _without_file(key, notice, src)
    return _card(key, name, (notice.purpose, notice.language, src), notice.sound, notice.peaks, notice)


def preview_card(purpose: Purpose, language: str, src: str, sound: Sound, peaks: tuple[float, ...]) -> Card:
    """Return the card of a text that was only just written."""
    return _card("preview", gettext("What you wrote"), (purpose, language, src), sound, peaks, None)


def _without_file(key: str, notice: ShownNotice, src: str) -> Card:
    missing = gettext("The sound file is missing, and nothing can be heard. Propose this notice again.")
    return Card(
        key=key,
        purpose=notice.purpose,
        language=notice.language,
        src=src,
        picture=Markup(),
        level=missing,
        length="",
        level_is_good=False,
        length_is_good=True,
        notice=notice,
    )


def _card(
    key: str,
    name: str,
    what: tuple[Purpose, str, str],
    sound: Sound,
    peaks: tuple[float, ...],
    notice: ShownNotice | None,
) -> Card:
    level, length = level_line(sound), length_line(sound)
    purpose, language, src = what
    return Card(
        key=key,
        purpose=purpose,
        language=language,
        src=src,
        picture=waveform(
            peaks,
            sound.seconds,
            key=key,
            title=gettext("Waveform: %(name)s", name=name),
            description=f"{level} {length}",
            write=write_seconds,
        ),
        level=level,
        length=length,
        level_is_good=sound.level is Verdict.GOOD,
        length_is_good=sound.length is Verdict.GOOD,
        notice=notice,
    )


def write_seconds(seconds: int) -> str:
    """Write a whole number of seconds below a picture."""
    return str(gettext("%(number)s s", number=seconds))


def level_line(sound: Sound) -> str:
    """Say how loud a sound is, and what is to be thought of it."""
    return str(
        gettext(
            "Peak %(peak)s dBFS, speech %(level)s dBFS where %(target)s dBFS is wanted: %(verdict)s.",
            peak=decimal(sound.peak_dbfs),
            level=decimal(sound.level_dbfs),
            target=decimal(sound.target_dbfs),
            verdict=word(sound.level),
        )
    )


def length_line(sound: Sound) -> str:
    """Say how long a sound is, and what is to be thought of it."""
    seconds, verdict = decimal(sound.seconds), word(sound.length)
    if sound.limit is None:
        return str(gettext("%(seconds)s s, and there is no limit: %(verdict)s.", seconds=seconds, verdict=verdict))
    limit = decimal(sound.limit)
    return str(
        gettext("%(seconds)s s of at most %(limit)s s: %(verdict)s.", seconds=seconds, limit=limit, verdict=verdict)
    )


def length_of_all(seconds: float) -> Length:
    """Say how long all languages of a public notice are together."""
    is_good = seconds <= PUBLIC_NOTICE_MAX_SECONDS
    text = gettext(
        "All languages together: %(seconds)s s of at most %(limit)s s.",
        seconds=decimal(seconds),
        limit=decimal(PUBLIC_NOTICE_MAX_SECONDS),
    )
    return Length(text=str(text), is_good=is_good)


def count_lines(pace: Pace, board: NoticeBoard, language: str) -> list[Length]:
    """Say how long a text will be, alone and, for callers, with the other languages: they hear all of them."""
    is_public = board.content is Purpose.PUBLIC
    if not is_public:
        text = gettext(
            "%(characters)s characters, about %(seconds)s s.",
            characters=pace.characters,
            seconds=decimal(pace.seconds),
        )
        return [Length(text=str(text), is_good=True)]
    alone = gettext(
        "%(characters)s characters (about %(most)s fit), about %(seconds)s s of at most %(limit)s s.",
        characters=pace.characters,
        most=pace.most_characters,
        seconds=decimal(pace.seconds),
        limit=decimal(pace.most_seconds),
    )
    beside = board.seconds_beside(language)
    lines = [Length(text=str(alone), is_good=not pace.is_too_long)]
    return [*lines, length_of_all(pace.seconds + beside)] if beside else lines
