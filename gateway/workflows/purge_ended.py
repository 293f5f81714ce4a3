"""Remove the personal data of orders that are long over, and prove in the trail that it was done.

First the database forgets, in small transactions, and then the files go that nothing needs any more. A run that was
killed in between leaves files behind, which the next one finds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from gateway.audit.retention import heard_files, unlink_plays
from gateway.audit.tags import Tag
from gateway.db.scrub import flush_log, overwrite_deleted
from gateway.domain.rights import GATEWAY
from gateway.errands import retention as errands
from gateway.register import batches
from gateway.register import retention as register
from gateway.register.installation import announce_removed
from gateway.workflows.change import Errand, change
from gateway.workflows.office import Office

_ORDERS = 10
_DOCUMENTS = 50
_FILES = 1000
# A file or a rendition that was just made may not be attached to its order yet.
_FRESH = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """What a run removed."""

    orders: int = 0
    lines: int = 0
    plays: int = 0
    documents: int = 0
    recordings: int = 0


def list_ended(office: Office, now: datetime, days: int) -> tuple[str, ...]:
    """Return the ids of the orders that a run would purge."""
    with office.engine.connect() as connection:
        return register.find_ended(connection, now - timedelta(days=days))


def purge_ended(
    office: Office, errand: Errand, *, days: int, rest: Callable[[], None] = lambda: None
) -> Iterator[Purge]:
    """Purge every order that was over `days` ago, and then what only such orders used; yields what is done so far.

    `rest` is called between two transactions, so that calls get at the database.
    """
    done = Purge()
    for step in _purge_orders(office, errand, errand.at - timedelta(days=days)):
        done = _sum(done, step)
        yield done
        rest()
    done = _sum(done, _purge_documents(office, errand, errand.at - timedelta(days=days)))
    _forget_errands(office, errand.at - timedelta(days=days))
    done = _sum(done, Purge(recordings=_remove_recordings(office, errand.at)))
    flush_log(office.engine)
    yield done


def purge_daily(office: Office, *, days: int, now: datetime) -> None:
    """Do what the worker does once a day, in the name of the gateway itself."""
    for _ in purge_ended(office, Errand(actor=GATEWAY, at=now), days=days):
        pass


def _purge_orders(office: Office, errand: Errand, cutoff: datetime) -> Iterator[Purge]:
    while True:
        with change(office.engine, office.keys, errand) as under_way:
            connection = under_way.connection
            overwrite_deleted(connection)
            purged = register.purge(connection, register.find_ended(connection, cutoff, _ORDERS), cutoff, errand.at)
            if not purged:
                return
            played = unlink_plays(connection, [each.order_id for each in purged])
            if any(each.lines for each in purged):
                announce_removed(connection)
            for each in purged:
                under_way.note(
                    Tag.DATA_PURGED,
                    each.order_id,
                    court_id=each.court_id,
                    lines=each.lines,
                    plays=played.get(each.order_id, 0),
                    notices=each.notices,
                    proposals=each.proposals,
                    remarks=each.remarks,
                    notes=each.notes,
                )
        yield Purge(orders=len(purged), lines=sum(each.lines for each in purged), plays=sum(played.values()))


def _purge_documents(office: Office, errand: Errand, cutoff: datetime) -> Purge:
    """Forget the keys of documents that no order rests on any more; without its key the file is noise."""
    done = 0
    while True:
        with change(office.engine, office.keys, errand) as under_way:
            overwrite_deleted(under_way.connection)
            unused = register.unused_documents(under_way.connection, cutoff, _DOCUMENTS)
            for each in unused:
                register.forget_document(under_way.connection, each.document_id, errand.at)
                under_way.note(Tag.DATA_PURGED, each.document_id, court_id=each.court_id, documents=1)
        done += len(unused)
        if not unused:
            break
    with office.engine.connect() as connection:
        leftovers = register.forgotten_documents(connection) & office.vault.names()
    for name in leftovers:
        office.vault.remove(name)
    return Purge(documents=done)


def _forget_errands(office: Office, cutoff: datetime) -> None:
    with office.engine.begin() as connection:
        overwrite_deleted(connection)
        errands.forget_jobs(connection, cutoff)
        batches.forget_refused_rows(connection, cutoff)
    with office.engine.connect() as connection:
        leftovers = batches.unreadable_files(connection) & office.vault.names()
    for name in leftovers:
        office.vault.remove(name)


def _remove_recordings(office: Office, now: datetime) -> int:
    """Remove files in which somebody is named and that nothing needs; return how many."""
    old, library = now - _FRESH, office.studio.library
    with office.engine.begin() as connection:
        overwrite_deleted(connection)
        register.drop_renditions(connection, old)
        heard = heard_files(connection, register.unpurged_orders())
    removed = 0
    unheard = (sha256 for sha256 in library.older_than(old) if sha256 not in heard)
    while some := tuple(islice(unheard, _FILES)):
        # Asked each time anew: an officer may have taken up again meanwhile what nobody needed.
        with office.engine.connect() as connection:
            unneeded = set(some) - register.sounding_files(connection, old)
        for sha256 in unneeded:
            library.remove(sha256)
        removed += len(unneeded)
    return removed + library.sweep(old)


def _sum(one: Purge, other: Purge) -> Purge:
    return Purge(
        orders=one.orders + other.orders,
        lines=one.lines + other.lines,
        plays=one.plays + other.plays,
        documents=one.documents + other.documents,
        recordings=one.recordings + other.recordings,
    )
