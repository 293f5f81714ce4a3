"""Read the trail and the plays for pages, verify both while somebody waits, and write the trail to a file."""

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from gateway.audit.faults import Fault, Report
from gateway.audit.play_list import PlayEntry, PlayQuery, plays_of
from gateway.audit.reading import TrailEntry, TrailQuery, entries
from gateway.audit.tables import plays, trail_head
from gateway.domain.errors import GatewayError
from gateway.domain.rights import NotAllowedError, Right
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.verify_audit import Proofs, export_audit, verify_audit

# Some seconds of work for one thread; the calls that the same worker answers meanwhile do not feel more of it.
MOST_AT_ONCE = 100_000


class TrailTooLongError(GatewayError):
    """There are more than {most} entries and plays to go through here: run `notice-gateway audit` at the machine."""

    code = "trail_too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found; `tells_where` is False for who reads one court's trail: then faults have their kind only.

    There is one chain over all courts, so that it can only be verified as a whole.
    """

    report: Report
    tells_where: bool


def read_trail(office: Office, query: TrailQuery, errand: Errand) -> tuple[TrailEntry, ...]:
    """Return a page of the trail, newest first; `query.reach` is set to the asker's."""
    with office.reading.connect() as connection:
        return entries(connection, replace(query, reach=errand.actor.reach(Right.AUDIT_READ)))


def read_plays(office: Office, query: PlayQuery, errand: Errand) -> tuple[PlayEntry, ...]:
    """Return a page of plays, newest first; `query.reach` is set to the asker's."""
    with office.reading.connect() as connection:
        return plays_of(connection, office.keys, replace(query, reach=errand.actor.reach(Right.PLAYS_READ)))


def verify_now(office: Office, checkpoints: Path, errand: Errand, *, most: int = MOST_AT_ONCE) -> Verified:
    """Verify the trail, the plays and the checkpoints in their folder, where they are not too many to wait for.

    Raises NotAllowedError, TrailTooLongError.
    """
    if errand.actor.reach(Right.AUDIT_READ).is_empty:
        raise NotAllowedError(right=Right.AUDIT_READ.value, where="any court")
    _demand_few(office, most)
    report = verify_audit(office.reading, office.keys, Proofs(folder=checkpoints))
    tells_where = errand.actor.may(Right.AUDIT_READ, None)
    if not tells_where:
        report = replace(report, faults=tuple(Fault(flaw=each.flaw, words="") for each in report.faults))
    return Verified(report=report, tells_where=tells_where)


def export_now(office: Office, path: Path, errand: Errand, *, most: int = MOST_AT_ONCE) -> int:
    """Write the whole trail to a new file and return how many entries it has.

    Raises NotAllowedError for who does not read the trail of all courts, TrailTooLongError, OSError.
    """
    errand.actor.demand(Right.AUDIT_READ, None, where="the trail of all courts")
    _demand_few(office, most)
    return export_audit(office.reading, path)


def _demand_few(office: Office, most: int) -> None:
    with office.reading.connect() as connection:
        if _size(connection, most) > most:
            raise TrailTooLongError(most=most)


def _size(connection: Connection, most: int) -> int:
    """Return how many entries and plays there are; beyond `most` it does not count on."""
    written = connection.execute(select(trail_head.c.seq)).scalar() or 0
    some = select(plays.c.play_id).limit(most + 1).subquery()
    return written + (connection.execute(select(func.count()).select_from(some)).scalar() or 0)
