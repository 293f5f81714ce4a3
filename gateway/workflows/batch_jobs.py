"""Imports and approvals of batches as jobs: begun by a request, carried out by the worker, resumed by the next one."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from gateway.bucket import StorageError
from gateway.domain.errors import GatewayError, SameOfficerError
from gateway.domain.rights import Actor, ActorKind, Everywhere, Grant, InCourt, InDistrict, Right, Scope
from gateway.errands import jobs
from gateway.errands.jobs import LostJobError
from gateway.people import api_keys, directory, roles
from gateway.people.errors import ApiKeyRevokedError, PersonClosedError
from gateway.register import batches
from gateway.register.batches import BatchBusyError, BatchState, BatchTakenError
from gateway.workflows.approve_batch import approve_batch
from gateway.workflows.batch_access import batch_for, demand_anywhere
from gateway.workflows.change import Errand, change
from gateway.workflows.import_orders import (
    Imported,
    ImportRequest,
    Mode,
    demand_drafting,
    import_orders,
    new_batch_id,
)
from gateway.workflows.import_source import LARGEST_FILE, Source
from gateway.workflows.import_writing import KeysChangedError, remove_waiting
from gateway.workflows.office import Office
from gateway.workflows.run_jobs import Handler, InterruptedJobError, Run
from gateway.workflows.second_officer import demand_officer

IMPORT, APPROVE = "import", "approve_batch"
# How the vault calls the file of a batch that is waiting to be imported.
UPLOAD = "import_"
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is to be imported; `name` is shown in messages, and is the uploaded file's own at most."""

    name: str = "the file"
    mode: Mode = Mode.ALL_OR_NOTHING
    dry_run: bool = False
    legal_basis: str = ""
    document_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A job that was begun, and the batch that it works on."""

    job_id: str
    batch_id: str


def start_import(office: Office, court_id: str, source: BinaryIO, options: ImportOptions, errand: Errand) -> Started:
    """Put a file in the vault, and the job that imports it in the queue. `source` is read once, to its end.

    Raises FileTooLargeError, UnknownEntryError, NotAllowedError.
    """
    demand_drafting(office, court_id, errand)
    batch_id = new_batch_id()
    sealed = office.vault.seal(_file_of(batch_id), source, limit=LARGEST_FILE)
    payload = {
        "batch": batch_id,
        "key": sealed.key,
        "name": options.name,
        "mode": options.mode.value,
        "dry_run": options.dry_run,
        "legal_basis": options.legal_basis,
        "document_sha256": options.document_sha256,
        "actor": _written(errand.actor),
    }
    kept = False
    try:
        with change(office.engine, office.keys, errand) as under_way:
            connection, who = under_way.connection, errand.actor.actor_id
            batches.add(connection, batch_id, court_id, sealed.sha256, created_by=who, now=errand.at)
            job_id = jobs.add(connection, office.keys, IMPORT, payload, court_id, who, errand.at)
        kept = True
    finally:
        if not kept:
            office.vault.remove(_file_of(batch_id))
    return Started(job_id=job_id, batch_id=batch_id)


def start_approval(office: Office, batch_id: str, errand: Errand) -> Started:
    """Put the job that approves a batch in the queue.

    Raises SameOfficerError, NotAPersonError, BatchStateError, UnknownEntryError, NotAllowedError.
    """
    demand_officer(errand)
    with change(office.engine, office.keys, errand) as under_way:
        connection, who = under_way.connection, errand.actor.actor_id
        batch = batch_for(connection, errand.actor, batch_id, Right.ORDERS_READ, Right.ORDERS_APPROVE)
        demand_anywhere(errand.actor, batch, Right.ORDERS_APPROVE)
        batches.demand(batch, BatchState.READY, verb="approved")
        if batch.created_by == who:
            raise SameOfficerError(officer=who)
        payload = {"batch": batch_id, "actor": _written(errand.actor)}
        job_id = jobs.add(connection, office.keys, APPROVE, payload, batch.court_id, who, errand.at)
    return Started(job_id=job_id, batch_id=batch_id)


def batch_handlers(office: Office, clock: Callable[[], datetime]) -> Mapping[str, Handler]:
    """Return who carries out the jobs of batches, by their kind."""

    def run_import(run: Run, now: datetime) -> Mapping[str, Any]:
        return _import(office, run, now, clock)

    def run_approval(run: Run, now: datetime) -> Mapping[str, Any]:
        errand = Errand(actor=_actor(office, run.job.payload["actor"]), at=now)
        batch_id: str = run.job.payload["batch"]
        done = approve_batch(office, batch_id, errand, clock=clock, progress=run.progress)
        return {
            "batch": batch_id,
            "state": done.batch.state.value,
            "approved": done.approved,
            "failed": done.failed,
            "failures": [
                {"order": each.order_id, "code": each.code, "message": each.message} for each in done.failures
            ],
        }

    return {IMPORT: run_import, APPROVE: run_approval}


def _import(office: Office, run: Run, now: datetime, clock: Callable[[], datetime]) -> Mapping[str, Any]:
    told = run.job.payload
    batch_id: str = told["batch"]
    name, key = _file_of(batch_id), told["key"]
    with office.reading.connect() as connection:
        batch = batches.get(connection, batch_id)
    if batch.state is not BatchState.LOADING:
        # An earlier attempt brought it to its end, and was stopped before it could say so.
        return {"batch": batch_id, "state": batch.state.value, "accepted": batch.accepted, "known": batch.known}
    request = ImportRequest(
        court_id=run.job.court_id,
        source=Source(name=told["name"], opened=lambda: _opened(office.vault.read(name, key))),
        mode=Mode(told["mode"]),
        dry_run=told["dry_run"],
        legal_basis=told["legal_basis"],
        document_sha256=told["document_sha256"],
    )
    over = True
    try:
        done = import_orders(
            office,
            request,
            Errand(actor=_actor(office, told["actor"]), at=now),
            clock=clock,
            progress=lambda _stage, done, total: run.progress(done, total),
            batch_id=batch_id,
        )
        _keep_errors(office, batch_id, done, dry_run=request.dry_run)
    except (InterruptedJobError, LostJobError):
        over = False
        raise
    except KeysChangedError as error:
        over = False
        # No refusal but a reason to try again, with the new keys; it goes on where it stopped.
        raise RuntimeError("the keys were changed during an import") from error
    except StorageError as error:
        over = run.job.attempts >= jobs.MOST_ATTEMPTS
        raise RuntimeError("the object storage was away during an import") from error
    except GatewayError as error:
        if not isinstance(error, BatchBusyError | BatchTakenError):
            _give_up(office, batch_id)
        raise
    except Exception:
        over = run.job.attempts >= jobs.MOST_ATTEMPTS
        raise
    finally:
        if over:
            office.vault.remove(name)
    return _said(batch_id, done, dry_run=request.dry_run)


def _give_up(office: Office, batch_id: str) -> None:
    """End a batch that will never be loaded: its job was refused for good."""
    remove_waiting(office.engine, batch_id, lambda _done: None)
    with office.engine.begin() as connection:
        if batches.get(connection, batch_id, lock=True).state is BatchState.LOADING:
            batches.set_state(connection, batch_id, BatchState.REFUSED)


def _said(batch_id: str, done: Imported, *, dry_run: bool) -> Mapping[str, Any]:
    return {
        "batch": batch_id,
        "state": done.state.value,
        "dry_run": dry_run,
        "accepted": done.counts.accepted,
        "known": done.counts.known,
        "refused": done.counts.refused,
        "flaws": done.flaws,
        "errors": [
            {"row": each.row, "column": each.column, "code": each.code, "error": each.what, "how_to_fix": each.cure}
            for each in done.errors[:_SHOWN]
        ],
    }


def _keep_errors(office: Office, batch_id: str, done: Imported, *, dry_run: bool) -> None:
    """Keep the refused rows in the vault, for who imported them to fetch; a dry run ends its batch here."""
    if done.refused_rows:
        # The vault takes a name again: an attempt that broke off here had written the same.
        sealed = office.vault.seal(batch_id, io.BytesIO(done.refused_rows), limit=LARGEST_FILE)
        with office.engine.begin() as connection:
            batches.keep_errors(connection, batch_id, sealed.key, sealed.sha256, office.keys)
    if dry_run:
        with office.engine.begin() as connection:
            batches.set_state(connection, batch_id, BatchState.WITHDRAWN)
            batches.set_counts(connection, batch_id, done.counts)


class _Stream(io.RawIOBase):
    """Chunks as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  (any writable buffer)
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def _opened(chunks: Iterator[bytes]) -> BinaryIO:
    return io.BufferedReader(_Stream(chunks), buffer_size=1 << 16)


def _file_of(batch_id: str) -> str:
    return f"{UPLOAD}{batch_id}"


def _written(actor: Actor) -> dict[str, Any]:
    grants = [(grant.right.value, *_place(grant.scope)) for grant in actor.grants]
    return {"id": actor.actor_id, "kind": actor.kind.value, "grants": sorted(grants)}


def _place(scope: Scope) -> tuple[str, str]:
    match scope:
        case Everywhere():
            return "", ""
        case InCourt(court_id=court_id):
            return court_id, ""
        case InDistrict(court_id=court_id, district_id=district_id):
            return court_id, district_id


def _actor(office: Office, told: Mapping[str, Any]) -> Actor:
    """Return who began the job, with the rights of now where it is a person. Raises what says that they are gone."""
    kind = ActorKind(told["kind"])
    grants = frozenset(Grant(right=Right(right), scope=_scope(*place)) for right, *place in told["grants"])
    with office.reading.connect() as connection:
        match kind:
            case ActorKind.PERSON:
                person = directory.get(connection, office.keys, told["id"])
                if person.closed_at is not None:
                    raise PersonClosedError(person_id=person.person_id)
                grants = roles.grants(person.roles)
            case ActorKind.API_KEY:
                key = api_keys.get(connection, office.keys, told["id"])
                if key.revoked_at is not None:
                    raise ApiKeyRevokedError(key_id=key.key_id)
            case _:
                pass
    return Actor(actor_id=told["id"], kind=kind, grants=grants)


def _scope(court_id: str, district_id: str) -> Scope:
    if district_id:
        return InDistrict(court_id=court_id, district_id=district_id)
    return InCourt(court_id=court_id) if court_id else Everywhere()
