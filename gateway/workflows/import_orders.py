"""Import orders from a file: check every row, then write all of them or those that stand, as one batch.

The file is checked whole before anything is written. What is written is hidden until the batch is ready, so that a
crash leaves nothing half-done in sight: importing the same file again goes on with it, and withdrawing removes it.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from sqlalchemy.exc import SQLAlchemyError

from gateway.audit.tags import Tag
from gateway.domain.events import Event
from gateway.domain.rights import NotAllowedError, Right
from gateway.register import batches, courts, districts
from gateway.register.batches import BatchState, Counts
from gateway.workflows.access import covers_court, place_of, sees_court
from gateway.workflows.change import Errand, change
from gateway.workflows.import_check import NEW, OWN, Checked, Rows
from gateway.workflows.import_columns import FileRefusedError, Header, read_header
from gateway.workflows.import_crew import check_all
from gateway.workflows.import_refusals import Refusals, RowError
from gateway.workflows.import_rows import Flaw, Terms
from gateway.workflows.import_source import ImportFileError, Source, Survey, rows_of, survey
from gateway.workflows.import_writing import Loading, Spool, remove_waiting
from gateway.workflows.office import Office

_PORTION = 1_000
_RENEW_SECONDS = 5.0
_DRY_RUN = "bat_000000000000"

Progress = Callable[[str, int, int], None]


class Mode(Enum):
    """What happens when a row is refused: nothing is imported, or all others are."""

    ALL_OR_NOTHING = "all-or-nothing"
    PER_ROW = "per-row"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """A file for a court; `legal_basis` and `document_sha256` hold for rows that do not state their own.

    `document_at_hand` says that whoever imports has that document, so that a dry run need not keep it first.
    """

    court_id: str
    source: Source
    mode: Mode = Mode.ALL_OR_NOTHING
    dry_run: bool = False
    legal_basis: str = ""
    document_sha256: str = ""
    document_at_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import. `errors` are at most 10,000 of `flaws`; `refused_rows` is a CSV file to mend, or empty.

    `longest_hold` says for how many seconds others had to wait for the database at most.
    """

    batch_id: str
    state: BatchState
    counts: Counts
    errors: tuple[RowError, ...]
    flaws: int
    refused_rows: bytes = field(repr=False)
    longest_hold: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """An import under way."""

    office: Office
    request: ImportRequest
    errand: Errand
    found: Survey
    batch_id: str
    loader: str
    clock: Callable[[], datetime]
    progress: Progress


def import_orders(
    office: Office,
    request: ImportRequest,
    errand: Errand,
    *,
    clock: Callable[[], datetime],
    progress: Progress = lambda _stage, _done, _total: None,
    batch_id: str = "",
) -> Imported:
    """Import a file and return what came of each row; a dry run writes nothing at all.

    `batch_id` is that of a batch that was begun before, as a job's. Raises FileRefusedError, UnknownEntryError,
    NotAllowedError, BatchBusyError, BatchTakenError, KeysChangedError.
    """
    demand_drafting(office, request.court_id, errand)
    found = survey(request.source)
    loader = secrets.token_hex(8)
    batch_id = _DRY_RUN if request.dry_run else _begin(office, request, errand, found, batch_id, loader, clock())
    run = _Run(
        office=office,
        request=request,
        errand=errand,
        found=found,
        batch_id=batch_id,
        loader=loader,
        clock=clock,
        progress=progress,
    )
    if request.dry_run:
        return _dry(run)
    try:
        return _loaded(run)
    except FileRefusedError:
        _end(run, Counts(), BatchState.REFUSED)
        raise
    finally:
        # Where the database is away, the lease ends by itself, and what went wrong is told instead of this.
        with suppress(SQLAlchemyError, OSError), office.engine.begin() as connection:
            batches.release(connection, batch_id, loader)


def _loaded(run: _Run) -> Imported:
    spool = Spool()
    try:
        check = _Check(run)
        check.all(spool)
        if check.refusals.rows and run.request.mode is Mode.ALL_OR_NOTHING:
            return check.outcome(BatchState.REFUSED, accepted=0)
        loading = Loading(
            engine=run.office.engine,
            keys=run.office.keys,
            key_id=check.key_id,
            court_id=run.request.court_id,
            batch_id=run.batch_id,
            loader=run.loader,
            clock=run.clock,
        )
        collided, longest = loading.write_all(spool.rows(), lambda done: run.progress("write", done, check.new))
    finally:
        spool.close()
    if collided:
        check.refuse_taken(frozenset(collided))
        if run.request.mode is Mode.ALL_OR_NOTHING:
            return check.outcome(BatchState.REFUSED, accepted=0)
    return check.outcome(BatchState.READY, accepted=check.new + check.own - len(collided), longest=longest)


def _dry(run: _Run) -> Imported:
    check = _Check(run)
    check.all(None)
    stands = not (check.refusals.rows and run.request.mode is Mode.ALL_OR_NOTHING)
    counts = Counts(accepted=check.new if stands else 0, known=check.known, refused=check.refusals.rows)
    return check.imported(BatchState.READY if stands else BatchState.REFUSED, counts, batch_id="")


class _Check:
    """The first half of an import: every row is checked, and what stands is put aside, encrypted."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._rows = _numbered(rows_of(run.request.source, run.found))
        header = _header(run, self._rows)
        self.refusals = Refusals(header)
        self.key_id = run.office.keys.key_id
        self.new = self.known = self.own = 0
        self._terms = _terms(run, header)
        self._first: dict[bytes, int] = {}
        self._renewed = time.monotonic()

    def all(self, spool: Spool | None) -> None:
        """Check every row; put what stands into `spool`."""
        run, done = self._run, 0
        for rows, checked in check_all(_portions(self._rows), self._terms, run.office.keys, run.office.reading.engine):
            twice = self._count(rows, checked)
            if spool is not None:
                spool.put(checked.without(twice) if twice else checked.loaded)
            done += len(rows)
            run.progress("check", done, max(run.found.lines - 1, done))
            self._stay()
        if not done:
            cure = "Put the orders below the heading"
            raise ImportFileError(file=run.request.source.name, why="it has a heading and no rows", cure=cure)

    def refuse_taken(self, numbers: frozenset[int]) -> None:
        """Refuse rows whose case somebody else put in while the file was being written; read them once more."""
        flaw = Flaw("case_number", "taken", "the court was given an order for this case meanwhile", "look at that one")
        for number, cells in _numbered(rows_of(self._run.request.source, self._run.found)):
            if number in numbers:
                self.refusals.add(number, cells, [flaw])

    def outcome(self, state: BatchState, *, accepted: int, longest: float = 0.0) -> Imported:
        """End the batch and return what came of it."""
        known = self.known if state is BatchState.READY else self.known + self.own
        counts = Counts(accepted=accepted, known=known, refused=self.refusals.rows)
        _end(self._run, counts, state)
        return self.imported(state, counts, batch_id=self._run.batch_id, longest=longest)

    def imported(self, state: BatchState, counts: Counts, *, batch_id: str, longest: float = 0.0) -> Imported:
        """Return what came of it."""
        return Imported(
            batch_id=batch_id,
            state=state,
            counts=counts,
            errors=tuple(self.refusals.errors),
            flaws=self.refusals.flaws,
            refused_rows=self.refusals.file() if self.refusals.rows else b"",
            longest_hold=longest,
        )

    def _count(self, rows: Rows, checked: Checked) -> frozenset[int]:
        """Count what became of a portion, and return the rows whose case another row of the file has."""
        flaws: dict[int, list[Flaw]] = {}
        for number, column, code, what, cure in checked.flaws:
            flaws.setdefault(number, []).append(Flaw(column, code, what, cure))
        twice = set()
        for number, index, standing in checked.seen:
            first = self._first.setdefault(index, number)
            if first != number:
                what = f"row {first} of this file is about the same case"
                flaws[number] = [Flaw("case_number", "same_case", what, "keep one of the two rows")]
                twice.add(number)
            elif standing == NEW:
                self.new += 1
            elif standing == OWN:
                self.own += 1
            else:
                self.known += 1
        if flaws:
            for number, cells in rows:
                if number in flaws:
                    self.refusals.add(number, cells, flaws[number])
        return frozenset(twice)

    def _stay(self) -> None:
        """Keep the lease: checking a large file takes longer than one lasts."""
        run = self._run
        if not run.request.dry_run and time.monotonic() - self._renewed > _RENEW_SECONDS:
            with run.office.engine.begin() as connection:
                batches.renew(connection, run.batch_id, run.loader, run.clock())
            self._renewed = time.monotonic()


def _begin(  # noqa: PLR0917  (a batch is begun from all of these)
    office: Office, request: ImportRequest, errand: Errand, found: Survey, batch_id: str, loader: str, now: datetime
) -> str:
    """Begin a batch, or go on with the one that an earlier import of the same file left behind; return its id."""
    with office.engine.begin() as connection:
        mine = batch_id or batches.find_loading(connection, request.court_id, found.sha256)
        if not mine:
            mine = new_batch_id()
            who = errand.actor.actor_id
            batches.add(connection, mine, request.court_id, found.sha256, created_by=who, now=errand.at)
        batches.take(connection, mine, loader, now)
    return mine


def _end(run: _Run, counts: Counts, state: BatchState) -> None:
    """Let the batch appear, or take back what an earlier, interrupted import wrote of it; one entry in the trail."""
    office = run.office
    if state is BatchState.REFUSED:
        remove_waiting(office.engine, run.batch_id, lambda done: run.progress("take back", done, 0))
    with office.reading.connect() as connection:
        _, digest = batches.orders_digest(connection, run.batch_id)
    with change(office.engine, office.keys, run.errand) as under_way:
        batches.finish(
            under_way.connection,
            run.batch_id,
            run.loader,
            counts,
            state=state,
            orders_sha256=digest,
            now=run.clock(),
        )
        if state is BatchState.READY:
            court_id = run.request.court_id
            under_way.note(
                Tag.ORDERS_IMPORTED,
                run.batch_id,
                court_id=court_id,
                accepted=counts.accepted,
                known=counts.known,
                refused=counts.refused,
                file=run.found.sha256,
                orders=digest,
            )
            under_way.tell(
                Event.BATCH_FINISHED,
                court_id=court_id,
                batch=run.batch_id,
                state=state.value,
                accepted=counts.accepted,
                known=counts.known,
                refused=counts.refused,
            )


def new_batch_id() -> str:
    """Return the id of a new batch; the ids of its orders follow from it."""
    return f"bat_{secrets.token_hex(6)}"


def _terms(run: _Run, header: Header) -> Terms:
    court_id, actor = run.request.court_id, run.errand.actor
    with run.office.reading.connect() as connection:
        owners = {district.district_id: district.court_id for district, _ in districts.tree(connection)}
        drafting_in = frozenset(
            each
            for each, owner in owners.items()
            if owner == court_id and actor.may(Right.ORDERS_DRAFT, place_of(connection, court_id, each))
        )
    return Terms(
        court_id=court_id,
        batch_id=run.batch_id,
        drafted_by=actor.actor_id,
        at=run.errand.at,
        header=header,
        districts=owners,
        drafting_in=drafting_in,
        languages=run.office.studio.wording.languages(),
        legal_basis=run.request.legal_basis.strip(),
        document_sha256=run.request.document_sha256,
        document_at_hand=run.request.document_at_hand,
    )


def _header(run: _Run, rows: Iterator[tuple[int, list[str]]]) -> Header:
    request = run.request
    stated = {"legal_basis": request.legal_basis.strip(), "document_sha256": request.document_sha256}
    optional = frozenset(name for name, value in stated.items() if value)
    for _number, cells in rows:
        return read_header(request.source.name, cells, optional=optional)
    raise ImportFileError(file=request.source.name, why="it has no rows", cure="Give a heading and orders below it")


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Give rows the numbers that a spreadsheet shows, and leave out the empty ones."""
    for number, cells in enumerate(rows, start=1):
        if any(cell.strip() for cell in cells):
            yield number, cells


def _portions(rows: Iterator[tuple[int, list[str]]]) -> Iterator[Rows]:
    portion: Rows = []
    for row in rows:
        portion.append(row)
        if len(portion) == _PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def demand_drafting(office: Office, court_id: str, errand: Errand) -> None:
    """Let everybody import who may draft anywhere in the court; each row's district is checked besides.

    Raises UnknownEntryError, NotAllowedError.
    """
    with office.reading.connect() as connection:
        courts.get(connection, court_id)
    if not sees_court(errand.actor, court_id):
        raise courts.unknown(court_id)
    for grant in errand.actor.grants:
        if grant.right is Right.ORDERS_DRAFT and covers_court(grant.scope, court_id):
            return
    raise NotAllowedError(right=Right.ORDERS_DRAFT.value, where=f"court {court_id}")
