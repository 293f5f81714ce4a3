"""Hear exactly what the telephone will play: what is played under an order, what is proposed, or words nobody proposed.

A preview is spoken by the same studio as a proposal and leaves nothing behind: its files are made in a folder that is
gone when it returns.
"""

import math
import tempfile
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from gateway.audio.errors import TextTooLongError
from gateway.audio.library import Library
from gateway.audio.speech import clean, render_text
from gateway.audio.waveform import Sound, describe, peaks
from gateway.domain.notice import PUBLIC_NOTICE_MAX_SECONDS, Purpose
from gateway.domain.rights import Actor, NotAllowedError, Right
from gateway.people.errors import RetryLaterError
from gateway.register import courts
from gateway.register.errors import UnknownEntryError
from gateway.register.notices import Part
from gateway.workflows.access import covers_court, sees_court
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_orders import SpokenNotices, read_notices

COLUMNS = 240
# About a minute of English and three of Mandarin: more than anybody listens to, and half a second of work.
MOST_CHARACTERS = 800
PER_MINUTE = 12
AT_ONCE = 2
_MINUTE = timedelta(minutes=1)
_MOST_ACTORS = 1_024


class PreviewBusyError(RetryLaterError):
    """Too many texts are being spoken at once; try again in {retry_after} s."""

    code = "preview_busy"


class TooManyPreviewsError(RetryLaterError):
    """You heard many texts in the last minute; try again in {retry_after} s."""

    code = "too_many_previews"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One language of a notice that is played under an order."""

    purpose: Purpose
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One language of what is proposed for an order."""

    language: str


Which = Played | Proposed


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToHear:
    """Words for an order of a court, in a language that there is a voice for (BCP 47)."""

    court_id: str
    text: str = field(repr=False)
    language: str
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardNotice:
    """The very file that the telephone plays (8 kHz mu-law WAV), with its picture (0 to 1 each) and its figures."""

    purpose: Purpose
    language: str
    wav: bytes = field(repr=False)
    peaks: tuple[float, ...] = field(repr=False)
    sound: Sound


class Booth:
    """Where previews are spoken: a few at once in a process, and so many a minute for each actor; nothing is kept."""

    def __init__(self, *, at_once: int = AT_ONCE, per_minute: int = PER_MINUTE) -> None:
        """Start empty."""
        self._places = threading.BoundedSemaphore(at_once)
        self._per_minute = per_minute
        self._heard: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, actor_id: str, now: datetime) -> Iterator[None]:
        """Hold a place for one preview. Raises PreviewBusyError, TooManyPreviewsError."""
        if not self._places.acquire(blocking=False):
            raise PreviewBusyError(retry_after=1)
        try:
            self._count(actor_id, now)
            yield
        finally:
            self._places.release()

    def _count(self, actor_id: str, now: datetime) -> None:
        with self._lock:
            recent = self._heard.setdefault(actor_id, deque())
            self._heard.move_to_end(actor_id)
            if len(self._heard) > _MOST_ACTORS:
                self._heard.popitem(last=False)
            while recent and now - recent[0] >= _MINUTE:
                recent.popleft()
            if len(recent) >= self._per_minute:
                wait = (recent[0] + _MINUTE - now).total_seconds()
                raise TooManyPreviewsError(retry_after=max(1, math.ceil(wait)))
            recent.append(now)


def limit_of(purpose: Purpose) -> float | None:
    """Return how long a notice may be in seconds, all its languages together; None where there is no limit."""
    return PUBLIC_NOTICE_MAX_SECONDS if purpose is Purpose.PUBLIC else None


def hear(office: Office, order_id: str, which: Which, errand: Errand) -> HeardNotice:
    """Return what is played or proposed under an order, for whoever may read the order.

    Raises UnknownEntryError, NotAllowedError, PurgedOrderError.
    """
    purpose, part = _found(read_notices(office, order_id, errand), which)
    path = office.studio.library.path_of(part.rendition.mulaw, "wav")
    if path is None:
        raise UnknownEntryError(what="file of the rendition in", shown=part.rendition.language, cure="")
    return _heard(purpose, part.rendition.language, path)


def preview_text(office: Office, booth: Booth, wanted: TextToHear, errand: Errand) -> HeardNotice:
    """Speak a text that nobody has proposed, for whoever may draft orders anywhere in the court; nothing is kept.

    A text that is longer than its notice may be is spoken all the same, and the verdict says so. At most 800
    characters. Raises UnknownEntryError, NotAllowedError, TextEmptyError, TextTooLongError, VoiceMissingError,
    SpeechFailedError, PreviewBusyError, TooManyPreviewsError.
    """
    with office.reading.begin() as connection:
        courts.get(connection, wanted.court_id)
    _demand_drafting(errand.actor, wanted.court_id)
    length = len(clean(wanted.text))
    if length > MOST_CHARACTERS:
        raise TextTooLongError(length=length, limit=MOST_CHARACTERS)
    with (
        booth.place(errand.actor.actor_id, errand.at),
        tempfile.TemporaryDirectory(prefix="preview-") as folder,
    ):
        # A library of its own: the court's holds what was proposed, and nothing that somebody only tried.
        library = Library(Path(folder))
        rendition = render_text(
            wanted.text, language=wanted.language, library=library, synthesizer=office.studio.synthesizer
        )
        path = library.path_of(rendition.mulaw, "wav")
        if path is None:
            raise UnknownEntryError(what="file of the rendition in", shown=wanted.language, cure="")
        return _heard(wanted.purpose, wanted.language, path)


def _demand_drafting(actor: Actor, court_id: str) -> None:
    """Let in whoever drafts orders in the court or in a district of it."""
    if not sees_court(actor, court_id):
        raise courts.unknown(court_id)
    if not any(grant.right is Right.ORDERS_DRAFT and covers_court(grant.scope, court_id) for grant in actor.grants):
        raise NotAllowedError(right=Right.ORDERS_DRAFT.value, where=f"court {court_id}")


def _found(spoken: SpokenNotices, which: Which) -> tuple[Purpose, Part]:
    match which:
        case Played(purpose=purpose, language=language):
            for part in spoken.played.get(purpose, ()):
                if part.rendition.language == language:
                    return purpose, part
            raise UnknownEntryError(what=f"{purpose.value} notice in", shown=language, cure="")
        case Proposed(language=language):
            for proposal in spoken.proposed:
                if proposal.language == language:
                    return proposal.purpose, proposal.part
            raise UnknownEntryError(what="proposal in", shown=language, cure="")


def _heard(purpose: Purpose, language: str, path: Path) -> HeardNotice:
    wav = path.read_bytes()
    return HeardNotice(
        purpose=purpose,
        language=language,
        wav=wav,
        peaks=peaks(wav, COLUMNS),
        sound=describe(wav, limit_of(purpose)),
    )
