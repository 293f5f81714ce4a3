"""Read a dispute with its call's evidence: what was played to the line in that call, and which key was pressed."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select

from gateway.audit.play_list import PlayEntry, PlayQuery, plays_of
from gateway.audit.tables import plays
from gateway.domain.rights import Right
from gateway.register import disputes, lines
from gateway.register.disputes import Dispute
from gateway.register.errors import UnknownEntryError
from gateway.register.lines import LineEntry
from gateway.register.tables import disputes as dispute_rows
from gateway.workflows.access import demand_order
from gateway.workflows.change import Errand
from gateway.workflows.office import Office


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeEvidence:
    """A dispute, the plays of its call within the asker's reach (oldest first), and the line if it is still there.

    Each play tells whether its seal was found sound. Who says "wrong person" is spared by other orders too: their
    disputes name the same call, whose play was under the order that spoke.
    """

    dispute: Dispute
    plays: tuple[PlayEntry, ...]
    line: LineEntry | None


def read_dispute_evidence(office: Office, dispute_id: str, errand: Errand) -> DisputeEvidence:
    """Return a dispute with its evidence. Raises UnknownEntryError, NotAllowedError."""
    with office.reading.begin() as connection:
        dispute = disputes.get(connection, dispute_id, office.keys)
        try:
            demand_order(connection, errand.actor, dispute.order_id, Right.DISPUTES_READ)
        except UnknownEntryError as error:
            raise disputes.unknown(dispute_id) from error
        demand_order(connection, errand.actor, dispute.order_id, Right.PLAYS_READ)
        on = lines.of_orders(connection, [dispute.order_id], office.cipher).get(dispute.order_id, ())
        return DisputeEvidence(
            dispute=dispute,
            plays=_plays(connection, office, dispute_id, errand),
            line=next((each for each in on if each.line_id == dispute.line_id), None),
        )


def _plays(connection: Connection, office: Office, dispute_id: str, errand: Errand) -> tuple[PlayEntry, ...]:
    """Return the plays of the dispute's call: found by the call's hash, and read as lists of plays are, seals too."""
    call = select(dispute_rows.c.call_index).where(dispute_rows.c.dispute_id == dispute_id).scalar_subquery()
    rows = connection.execute(
        select(plays.c.play_id, plays.c.order_id, plays.c.played_at)
        .where(plays.c.call_index == call)
        .order_by(plays.c.played_at, plays.c.play_id)
    ).all()
    found: list[PlayEntry] = []
    for row in rows:
        query = PlayQuery(
            reach=errand.actor.reach(Right.PLAYS_READ),
            order_id=row.order_id,
            since=row.played_at,
            until=row.played_at + timedelta(microseconds=1),
        )
        found.extend(each for each in plays_of(connection, office.keys, query) if each.play_id == row.play_id)
    return tuple(found)
