"""What is played, and for whom it can be made at all: the audience rule carried by types.

Only a `PublicNotice` can be played to a caller, and it can only be built for an `Organisation`.
"""

from dataclasses import dataclass, field
from enum import Enum

from gateway.domain.errors import AudienceError, NoticeEmptyError, NoticeTooLongError
from gateway.domain.subject import NaturalPerson, Organisation, Subject

PUBLIC_NOTICE_MAX_SECONDS = 20.0


class Purpose(Enum):
    """The part a notice or prompt plays in a call."""

    PUBLIC = "public"
    WARNING = "warning"
    OPENER = "opener"
    PRIVATE = "private"
    ACKNOWLEDGED = "acknowledged"
    CONTESTED = "contested"
    WRONG_PERSON = "wrong_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One encoded recording or utterance: its language (BCP 47), its length, and the SHA-256 (hex) of each file."""

    language: str
    seconds: float
    mulaw: str
    alaw: str
    wideband: str


Renditions = tuple[Rendition, ...]


def seconds_of(renditions: Renditions) -> float:
    """Return how long `renditions` last one after another, in seconds."""
    return sum(rendition.seconds for rendition in renditions)


def _demand(notice: str, renditions: Renditions, subject: Subject, wanted: type[Organisation | NaturalPerson]) -> None:
    if not isinstance(subject, wanted):
        raise AudienceError(notice=notice, wanted=wanted.__name__)
    # A comparison with NaN is false: what has no length is nothing to play.
    if not renditions or not all(rendition.seconds > 0 for rendition in renditions):
        raise NoticeEmptyError(notice=notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNotice:
    """A notice that callers may hear, at most 20 s. Raises AudienceError, NoticeTooLongError, NoticeEmptyError."""

    subject: Organisation
    renditions: Renditions
    purpose: Purpose = field(default=Purpose.PUBLIC, init=False)

    def __post_init__(self) -> None:
        """Hold the audience rule at run time too, for callers that are not type-checked."""
        _demand("public notice", self.renditions, self.subject, Organisation)
        if (seconds := seconds_of(self.renditions)) > PUBLIC_NOTICE_MAX_SECONDS:
            raise NoticeTooLongError(seconds=seconds, limit=PUBLIC_NOTICE_MAX_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningNotice:
    """What an organisation hears on its own line before its callers hear anything. Raises AudienceError."""

    subject: Organisation
    renditions: Renditions
    purpose: Purpose = field(default=Purpose.WARNING, init=False)

    def __post_init__(self) -> None:
        """Hold the audience rule at run time too."""
        _demand("warning", self.renditions, self.subject, Organisation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """The content-free opening words to a natural person: a court's name and an invitation to press 1."""

    subject: NaturalPerson
    renditions: Renditions
    purpose: Purpose = field(default=Purpose.OPENER, init=False)

    def __post_init__(self) -> None:
        """Hold the audience rule at run time too."""
        _demand("private opener", self.renditions, self.subject, NaturalPerson)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateNotice:
    """The content of a service order, for the person alone, after key 1. Raises AudienceError."""

    subject: NaturalPerson
    renditions: Renditions
    purpose: Purpose = field(default=Purpose.PRIVATE, init=False)

    def __post_init__(self) -> None:
        """Hold the audience rule at run time too."""
        _demand("private notice", self.renditions, self.subject, NaturalPerson)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A fixed prompt that confirms a key: it says nothing about any case, and may have no rendition at all."""

    purpose: Purpose
    renditions: Renditions


CalleeNotice = WarningNotice | Opener | PrivateNotice | Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationNotices:
    """The notices of a publication order."""

    public: PublicNotice
    warning: WarningNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNotices:
    """The notices of a service order, with the replies to keys 2, 3 and 9."""

    opener: Opener
    private: PrivateNotice
    acknowledged: Reply
    contested: Reply
    wrong_person: Reply

    @property
    def replies(self) -> tuple[Reply, ...]:
        """Return the confirmations of keys."""
        return self.acknowledged, self.contested, self.wrong_person


@dataclass(frozen=True, slots=True)
class MissingNotices:
    """An order whose notices are not ready: it is silent, whatever its state."""


Notices = OrganisationNotices | PersonNotices | MissingNotices
