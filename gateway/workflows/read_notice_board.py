"""Read everything that a page tells of an order's notices: what is played, what is proposed, and who made it when.

Each notice comes with the figures and the picture of the very file that the telephone plays.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.audio.errors import WordingMissingError
from gateway.audio.waveform import Sound
from gateway.audit.tags import Tag
from gateway.domain.court import Court
from gateway.domain.notice import Purpose
from gateway.domain.order import Order
from gateway.domain.rights import Right
from gateway.domain.subject import NaturalPerson
from gateway.register import courts, notices, orders, proposals
from gateway.register.errors import UnknownEntryError
from gateway.register.notices import Officers, Part
from gateway.register.proposals import Proposal
from gateway.register.tables import notices as notice_rows
from gateway.workflows.access import demand_order, place_of
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import purposes_for, wording_for
from gateway.workflows.read_names import read_names
from gateway.workflows.read_notice_versions import NoticeVersion, versions_of
from gateway.workflows.sound_pictures import Picture, SoundPictures


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNotice:
    """One language of a notice. `approved_by` is empty for a proposal; an instant that nobody noted is None.

    `text` is empty for a recording, `sound` is None where the file is missing, `peaks` are 0 to 1 of full scale.
    """

    purpose: Purpose
    language: str
    seconds: float
    rendition: str
    added_by: str
    approved_by: str = ""
    added_at: datetime | None = None
    approved_at: datetime | None = None
    version: int | None = None
    text: str = field(default="", repr=False)
    sound: Sound | None = None
    peaks: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBoard:
    """An order's notices. `languages` are those that it has or could be given, its own first; newest version first."""

    order: Order
    court: Court
    content: Purpose
    played: tuple[ShownNotice, ...]
    proposed: tuple[ShownNotice, ...]
    versions: tuple[NoticeVersion, ...]
    languages: tuple[str, ...]
    names: Mapping[str, str]
    may_draft: bool
    may_approve: bool

    def proposal_in(self, language: str) -> ShownNotice | None:
        """Return what is proposed in a language."""
        return next((each for each in self.proposed if each.language == language), None)

    def content_in(self, language: str) -> ShownNotice | None:
        """Return the order's own notice in a language, as it is played."""
        own = (each for each in self.played if each.purpose is self.content)
        return next((each for each in own if each.language == language), None)

    def seconds_beside(self, language: str) -> float:
        """Return how long the order's own notice will be in all other languages, proposals counted as approved."""
        found = {each.language: each.seconds for each in self.played if each.purpose is self.content}
        found |= {each.language: each.seconds for each in self.proposed}
        return sum(seconds for each, seconds in found.items() if each != language)


def read_notice_board(
    office: Office, order_id: str, errand: Errand, pictures: SoundPictures | None = None
) -> NoticeBoard:
    """Return the notices of an order that the asker may read; `pictures` are those that were looked at before.

    Raises UnknownEntryError, PurgedOrderError.
    """
    actor, pictures = errand.actor, pictures or SoundPictures()
    with office.reading.begin() as connection:
        demand_order(connection, actor, order_id, Right.ORDERS_READ)
        order = orders.read(connection, order_id, office.keys)
        court = courts.get(connection, order.court_id)
        place = place_of(connection, order.court_id, order.district_id)
        versions = versions_of(connection, order_id)
        officers = _officers(connection, order_id)
        played = [
            (purpose, part)
            for purpose in purposes_for(order.subject)
            for part in notices.written_parts(connection, order, purpose, office.cipher)
        ]
        proposed = proposals.of_order(connection, order_id, office.keys)
    library = office.studio.library
    shown = tuple(
        _played(part, officers[purpose], versions, purpose, pictures.of(library, purpose, part.rendition.mulaw))
        for purpose, part in played
    )
    waiting = tuple(
        _proposed(each, versions, pictures.of(library, each.purpose, each.part.rendition.mulaw)) for each in proposed
    )
    return NoticeBoard(
        order=order,
        court=court,
        content=purposes_for(order.subject)[0],
        played=shown,
        proposed=waiting,
        versions=versions,
        languages=_languages(office, order, (*shown, *waiting)),
        names=read_names(office, _actors(shown, waiting, versions), errand),
        may_draft=actor.may(Right.ORDERS_DRAFT, place),
        may_approve=actor.may(Right.ORDERS_APPROVE, place),
    )


def demand_language(board: NoticeBoard, language: str) -> None:
    """Raise UnknownEntryError for a language that the order could not be given a notice in."""
    if language not in board.languages:
        raise UnknownEntryError(what="notice in", shown=language, cure="")


def template_words(office: Office, board: NoticeBoard, language: str) -> str:
    """Return the template's words for the order's own notice; empty where there is no template in the language."""
    try:
        return wording_for(office.studio, board.order, board.court, board.content, language)
    except WordingMissingError:
        return ""


def is_about_a_person(board: NoticeBoard) -> bool:
    """Tell whether callers can never hear anything of this order."""
    return isinstance(board.order.subject, NaturalPerson)


def read_rendition(office: Office, order_id: str, rendition: str, errand: Errand) -> bytes:
    """Return the telephone's file (8 kHz mu-law WAV) of what is or was proposed or played under an order.

    `rendition` is its SHA-256 (hex). Raises UnknownEntryError for any other, and where the file is gone meanwhile.
    """
    board = read_notice_board(office, order_id, errand)
    known = {each for version in board.versions for each in version.renditions}
    known |= {each.rendition for each in (*board.played, *board.proposed)}
    path = office.studio.library.path_of(rendition, "wav") if rendition in known else None
    if path is None:
        raise UnknownEntryError(what="version", shown=rendition[:16], cure="")
    return path.read_bytes()


def _actors(
    shown: Iterable[ShownNotice], waiting: Iterable[ShownNotice], versions: Iterable[NoticeVersion]
) -> set[str]:
    found = {each.actor for each in versions}
    found |= {who for each in (*shown, *waiting) for who in (each.added_by, each.approved_by) if who}
    return found


def _languages(office: Office, order: Order, shown: Iterable[ShownNotice]) -> tuple[str, ...]:
    own = dict.fromkeys((*order.languages, *(each.language for each in shown)))
    return (*own, *sorted(office.studio.wording.languages() - own.keys()))


def _officers(connection: Connection, order_id: str) -> dict[Purpose, Officers]:
    statement = select(notice_rows.c.purpose, notice_rows.c.added_by, notice_rows.c.approved_by).where(
        notice_rows.c.order_id == order_id
    )
    return {
        Purpose(row.purpose): Officers(added_by=row.added_by, approved_by=row.approved_by)
        for row in connection.execute(statement)
    }


def _played(
    part: Part, officers: Officers, versions: tuple[NoticeVersion, ...], purpose: Purpose, picture: Picture
) -> ShownNotice:
    rendition = part.rendition
    approved = next(_of(versions, rendition.mulaw, {Tag.NOTICE_APPROVED, Tag.ORDER_APPROVED}), None)
    proposed = next(_of(versions, rendition.mulaw, {Tag.NOTICE_PROPOSED}), None)
    # The register has the two officers of a purpose as a whole; of one language among several, the trail knows better.
    by_trail = proposed is not None and approved is not None and proposed.language == rendition.language
    return ShownNotice(
        purpose=purpose,
        language=rendition.language,
        seconds=rendition.seconds,
        rendition=rendition.mulaw,
        added_by=proposed.actor if by_trail and proposed else officers.added_by,
        approved_by=approved.actor if by_trail and approved else officers.approved_by,
        added_at=proposed.at if by_trail and proposed else None,
        approved_at=approved.at if approved else None,
        version=approved.version if approved else None,
        text=part.text,
        sound=picture[0],
        peaks=picture[1],
    )


def _proposed(proposal: Proposal, versions: tuple[NoticeVersion, ...], picture: Picture) -> ShownNotice:
    rendition = proposal.part.rendition
    noted = next(_of(versions, rendition.mulaw, {Tag.NOTICE_PROPOSED}), None)
    return ShownNotice(
        purpose=proposal.purpose,
        language=proposal.language,
        seconds=rendition.seconds,
        rendition=rendition.mulaw,
        added_by=proposal.added_by,
        added_at=proposal.added_at,
        version=noted.version if noted else None,
        text=proposal.part.text,
        sound=picture[0],
        peaks=picture[1],
    )


def _of(versions: Iterable[NoticeVersion], rendition: str, tags: set[Tag]) -> Iterator[NoticeVersion]:
    return (each for each in versions if each.tag in tags and rendition in each.renditions)
