"""Make the renditions of a notice and attach them to an order, after a second officer approved it."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from gateway.audio.library import Library
from gateway.audio.speech import render_text, speech_key
from gateway.audio.synthesize import Synthesizer
from gateway.audio.transcode import PIPELINE_VERSION, Encode, encode_confined, render_recording
from gateway.audio.wording import Wording
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.domain.court import Court
from gateway.domain.errors import GatewayError
from gateway.domain.notice import MissingNotices, Purpose, Rendition
from gateway.domain.order import Order
from gateway.domain.subject import NaturalPerson, Organisation, Subject
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register import notices, orders
from gateway.register.notices import Officers, Part
from gateway.workflows.change import Errand, change

REPLIES = (Purpose.ACKNOWLEDGED, Purpose.CONTESTED, Purpose.WRONG_PERSON)


class WrongPurposeError(GatewayError):
    """An order about {subject} has no {purpose} notice; it has {allowed}."""

    code = "wrong_purpose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What the court wants spoken."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What the court recorded."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was rendered before, when it was proposed, and is taken as it is."""

    part: Part


Source = Text | Recording | Made


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """Where renditions are made and kept. `clock` tells when, in the time of the library's files."""

    engine: Engine
    keys: KeyRing
    library: Library
    synthesizer: Synthesizer
    wording: Wording
    encode: Encode = encode_confined
    clock: Callable[[], datetime] = utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The notices an order is to have: which languages in which order, and what the court supplied for its content."""

    languages: tuple[str, ...]
    content: Mapping[str, Source] = field(default_factory=dict)


def purposes_for(subject: Subject) -> tuple[Purpose, Purpose]:
    """Return the two notices an order has: the content first, then what is heard before it."""
    match subject:
        case Organisation():
            return Purpose.PUBLIC, Purpose.WARNING
        case NaturalPerson():
            return Purpose.PRIVATE, Purpose.OPENER


def make_parts(studio: Studio, order: Order, court: Court, wanted: Wanted) -> dict[Purpose, list[Part]]:
    """Render every notice of an order, outside any transaction. Raises what is wrong with a text or a recording."""
    content, before = purposes_for(order.subject)
    made: dict[Purpose, list[Part]] = {content: [], before: []}
    for language in wanted.languages:
        for purpose, parts in made.items():
            supplied = wanted.content.get(language) if purpose is content else None
            source = supplied or Text(text=wording_for(studio, order, court, purpose, language))
            parts.append(render(studio, source, language))
    demand_playable(order, made)
    return made


def demand_playable(order: Order, parts: Mapping[Purpose, list[Part]]) -> None:
    """Build the notices as a call would, so that one that could not be played is refused now and by name."""
    built = {purpose: tuple(part.rendition for part in each) for purpose, each in parts.items()}
    if isinstance(notices.assemble(order.subject, built, {}), MissingNotices):
        names = " and ".join(purpose.value for purpose in purposes_for(order.subject))
        raise WrongPurposeError(subject="this subject", purpose="incomplete", allowed=names)


def render(studio: Studio, source: Source, language: str) -> Part:
    """Make a rendition, or find the one made from the same source before, and keep it in the register."""
    match source:
        case Made(part=part):
            return part
        case Text(text=text):
            rendition_id = speech_key(text, language=language, synthesizer=studio.synthesizer)
        case Recording(path=path):
            text = ""
            rendition_id = _recording_key(path, language)
    rendition = _found(studio, rendition_id) or _made(studio, source, language, rendition_id)
    return Part(rendition_id=rendition_id, rendition=rendition, text=text)


def _found(studio: Studio, rendition_id: str) -> Rendition | None:
    """Return a rendition whose files are all there, and have it kept for as long as it takes to attach it."""
    with studio.engine.begin() as connection:
        found = notices.renew_rendition(connection, rendition_id, studio.clock())
    return found if found is not None and _is_complete(studio.library, found) else None


def _made(studio: Studio, source: Text | Recording, language: str, rendition_id: str) -> Rendition:
    match source:
        case Text(text=text):
            rendition = render_text(
                text,
                language=language,
                library=studio.library,
                synthesizer=studio.synthesizer,
                encode=studio.encode,
            )
        case Recording(path=path):
            rendition = render_recording(
                path, name=path.name, language=language, library=studio.library, encode=studio.encode
            )
    # Two officers may render the same words at once; what both made is the same.
    with suppress(IntegrityError), studio.engine.begin() as connection:
        notices.keep_rendition(connection, rendition_id, rendition, studio.clock())
    return rendition


def publish_notice(
    studio: Studio, order_id: str, purpose: Purpose, spoken: tuple[str, Source], officers: Officers, errand: Errand
) -> Part:
    """Replace one language of an order's notice, or add one at its end. Raises before anything is changed."""
    language, source = spoken
    with studio.engine.begin() as connection:
        order = orders.get(connection, order_id, studio.keys)
    allowed = purposes_for(order.subject)
    if purpose not in allowed:
        names = " and ".join(each.value for each in allowed)
        raise WrongPurposeError(subject=_kind(order.subject), purpose=purpose.value, allowed=names)
    part = render(studio, source, language)
    cipher = FieldCipher(studio.keys)
    with change(studio.engine, studio.keys, errand) as under_way:
        connection = under_way.connection
        orders.get(connection, order_id, studio.keys)
        present = {each: list(notices.written_parts(connection, order, each, cipher)) for each in allowed}
        present[purpose] = replaced(present[purpose], part)
        demand_playable(order, present)
        notices.attach(connection, order, purpose, present[purpose], officers, cipher)
        under_way.note(
            Tag.NOTICE_APPROVED,
            order_id,
            court_id=order.court_id,
            purpose=purpose.value,
            language=language,
            rendition=part.rendition.mulaw,
            added_by=officers.added_by,
            approved_by=officers.approved_by,
        )
    return part


def make_replies(studio: Studio, languages: tuple[str, ...]) -> None:
    """Make sure that the replies to keys 2, 3 and 9 exist in each language."""
    with studio.engine.connect() as connection:
        present = notices.replies_of(connection)
    for language in languages:
        for purpose in REPLIES:
            part = render(studio, Text(text=studio.wording.text(purpose, language)), language)
            if part.rendition in present.get(purpose, ()):
                continue
            # Two officers may approve at once: what the other has just set is made of the same words.
            with suppress(IntegrityError), studio.engine.begin() as connection:
                notices.set_reply(connection, purpose, language, part.rendition_id)


def wording_for(studio: Studio, order: Order, court: Court, purpose: Purpose, language: str) -> str:
    """Fill the template of a notice with what it may say: an opener learns nothing but the court's name."""
    fields = {"court": court.name}
    match order.subject, purpose:
        case Organisation(name=name), Purpose.PUBLIC:
            fields |= {"organisation": name, "case_number": order.case_number}
        case Organisation(name=name), Purpose.WARNING:
            begins = order.in_force_from or order.drafted_at
            date = written_date(begins.astimezone(ZoneInfo(court.zone)), language)
            fields |= {"organisation": name, "case_number": order.case_number, "date": date}
        case NaturalPerson(), Purpose.PRIVATE:
            fields |= {"case_number": order.case_number}
        case _:
            pass
    return studio.wording.text(purpose, language, **fields)


def written_date(instant: datetime, language: str) -> str:
    """Write a date as it is spoken in `language`; a language without a rule of its own gets ISO 8601."""
    match language.partition("-")[0]:
        case "en":
            return f"{instant.day} {instant:%B} {instant.year}"
        case "zh":
            return f"{instant.year}年{instant.month}月{instant.day}日"
        case _:
            return f"{instant:%Y-%m-%d}"


def replaced(parts: list[Part], part: Part) -> list[Part]:
    """Put a part in the place of the one in its language, or at the end."""
    languages = [each.rendition.language for each in parts]
    if part.rendition.language not in languages:
        return [*parts, part]
    return [part if each.rendition.language == part.rendition.language else each for each in parts]


def _recording_key(path: Path, language: str) -> str:
    """Key a recording by its content, its language and the pipeline that levels it."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # No rendition has this key: rendering says what is wrong with the file.
    return hashlib.sha256(f"recording:{PIPELINE_VERSION}:{language}:{sha256}".encode()).hexdigest()


def _is_complete(library: Library, rendition: Rendition) -> bool:
    files = (rendition.mulaw, rendition.alaw, rendition.wideband)
    return all(library.path_of(sha256, "wav") is not None for sha256 in files)


def _kind(subject: Subject) -> str:
    return "an organisation" if isinstance(subject, Organisation) else "a natural person"
