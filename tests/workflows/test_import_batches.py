"""What becomes of batches: hidden until they are whole, gone on with after a crash, approved, withdrawn, as jobs."""

import csv
import io
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.errors import SameOfficerError
from gateway.domain.notice import Purpose
from gateway.domain.order import Authority, OrderState
from gateway.domain.rights import ActorKind, Reach, Role
from gateway.domain.subject import NaturalPerson
from gateway.errands import jobs
from gateway.errands.jobs import JobState
from gateway.register import notices, orders, own_words
from gateway.register.batches import BatchBusyError, BatchState, BatchStateError, BatchTakenError
from gateway.register.errors import UnknownEntryError
from gateway.register.lines import Line
from gateway.register.order_list import OrderQuery, listed
from gateway.register.tables import batches as batch_rows
from gateway.register.tables import installation
from gateway.register.tables import orders as order_rows
from gateway.workflows.approve_batch import approve_batch
from gateway.workflows.approve_order import approve_order
from gateway.workflows.batch_jobs import ImportOptions, batch_handlers, start_approval, start_import
from gateway.workflows.change import Errand
from gateway.workflows.draft_order import OrderRequest, draft_order
from gateway.workflows.import_orders import ImportRequest, Mode, import_orders
from gateway.workflows.import_writing import KeysChangedError
from gateway.workflows.office import Office
from gateway.workflows.read_batches import batch_errors, list_batches, read_batch
from gateway.workflows.run_jobs import Workbench, claim_job, run_job
from gateway.workflows.second_officer import NotAPersonError
from gateway.workflows.sweep_batches import sweep_batches
from gateway.workflows.withdraw_batch import withdraw_batch
from tests.workflows.importing import (
    COURT,
    a_document,
    a_person_row,
    a_row,
    a_source,
    a_table,
    an_officer,
    as_csv,
    bring_in,
    clerk,
    counted,
    judge,
)

EVERYWHERE = Reach(everywhere=True, courts=frozenset(), districts=frozenset())


class UnpluggedError(Exception):
    """The process ended here, as far as the import is concerned."""


def seen(office: Office, batch_id: str) -> list[str]:
    with office.reading.connect() as connection:
        found = listed(connection, OrderQuery(reach=EVERYWHERE, batch_id=batch_id, limit=1000), office.keys, utc_now())
    return [each.order.order_id for each in found]


def every(office: Office, batch_id: str) -> list[str]:
    with office.reading.connect() as connection:
        return list(
            connection.execute(select(order_rows.c.order_id).where(order_rows.c.batch_id == batch_id)).scalars()
        )


def interrupted(office: Office, rows: list[dict[str, str]], *, after: int = 1) -> str:
    """Import until `after` portions are written, then stop as a process that was killed; return the batch's id."""
    written = 0

    def progress(stage: str, _done: int, _total: int) -> None:
        nonlocal written
        written += stage == "write"
        if written >= after:
            raise UnpluggedError

    request = ImportRequest(court_id=COURT, source=a_source(as_csv(a_table(rows))), document_sha256=a_document(office))
    with pytest.raises(UnpluggedError):
        import_orders(office, request, clerk(), clock=utc_now, progress=progress)
    with office.reading.connect() as connection:
        return str(connection.execute(select(batch_rows.c.batch_id).order_by(batch_rows.c.created_at.desc())).scalar())


MANY = [a_row(n) for n in range(700)]


def test_what_was_interrupted_is_hidden_and_the_same_file_goes_on_with_it(office: Office) -> None:
    batch_id = interrupted(office, MANY)
    there = every(office, batch_id)
    assert there
    if office.engine.dialect.name == "sqlite":
        assert len(there) < len(MANY)
    assert seen(office, batch_id) == []
    with pytest.raises(UnknownEntryError):
        approve_order(office, there[0], judge())
    done = bring_in(office, MANY)
    assert (done.batch_id, done.counts.accepted, done.counts.known) == (batch_id, len(MANY), 0)
    assert len(seen(office, batch_id)) == len(MANY)
    assert set(there) <= set(every(office, batch_id))


def test_what_was_interrupted_can_be_withdrawn(office: Office) -> None:
    before = counted(office)
    batch_id = interrupted(office, MANY)
    batch, removed = withdraw_batch(office, batch_id, clerk())
    assert (batch.state, removed > 0) == (BatchState.WITHDRAWN, True)
    assert counted(office) == before
    assert bring_in(office, MANY[:3]).counts.accepted == 3


def test_another_file_with_the_same_case_waits_for_what_was_interrupted(office: Office) -> None:
    batch_id = interrupted(office, MANY)
    done = bring_in(office, [MANY[0]])
    assert [each.code for each in done.errors] == ["unfinished_batch"]
    assert batch_id in done.errors[0].what


def test_a_second_import_of_a_file_that_is_being_loaded_is_refused(office: Office) -> None:
    content = as_csv(a_table([a_row(1)]))
    request = ImportRequest(court_id=COURT, source=a_source(content), document_sha256=a_document(office))

    def progress(stage: str, _done: int, _total: int) -> None:
        if stage == "check":
            with pytest.raises(BatchBusyError):
                import_orders(office, request, clerk(), clock=utc_now)

    assert import_orders(office, request, clerk(), clock=utc_now, progress=progress).counts.accepted == 1


def test_a_lease_that_ran_out_is_taken_over_and_its_first_holder_writes_nothing_more(office: Office) -> None:
    content = as_csv(a_table([a_row(1)]))
    request = ImportRequest(court_id=COURT, source=a_source(content), document_sha256=a_document(office))
    later = lambda: utc_now() + timedelta(minutes=5)  # noqa: E731  (a clock)
    second = []

    def progress(stage: str, _done: int, _total: int) -> None:
        if stage == "check":
            second.append(import_orders(office, request, clerk(), clock=later))

    with pytest.raises(BatchTakenError):
        import_orders(office, request, clerk(), clock=utc_now, progress=progress)
    assert len(seen(office, second[0].batch_id)) == 1


def test_an_import_whose_batch_is_withdrawn_stops_and_leaves_nothing(office: Office) -> None:
    before = counted(office)
    request = ImportRequest(
        court_id=COURT, source=a_source(as_csv(a_table(MANY))), document_sha256=a_document(office), mode=Mode.PER_ROW
    )

    def progress(stage: str, done: int, _total: int) -> None:
        if stage == "check" and done == len(MANY):
            withdraw_batch(office, list_batches(office, COURT, clerk())[0].batch_id, clerk())

    with pytest.raises(BatchTakenError):
        import_orders(office, request, clerk(), clock=utc_now, progress=progress)
    assert counted(office) == before


@pytest.mark.parametrize("mode", list(Mode))
def test_a_case_that_somebody_drafts_meanwhile_is_refused_and_the_mode_says_what_of_the_rest(
    office: Office, mode: Mode
) -> None:
    document = a_document(office)
    drafted = []
    request = ImportRequest(court_id=COURT, source=a_source(as_csv(a_table(MANY))), document_sha256=document, mode=mode)

    def progress(stage: str, done: int, _total: int) -> None:
        if stage == "check" and done == len(MANY):
            drafted.append(draft_order(office, a_draft(document, case_number="2026-im-5"), clerk()))

    before = counted(office)[0]
    done = import_orders(office, request, clerk(), clock=utc_now, progress=progress)
    assert [(each.row, each.code) for each in done.errors] == [(7, "taken")]
    assert b"2026-IM-5" in done.refused_rows
    expected = len(MANY) - 1 if mode is Mode.PER_ROW else 0
    assert (done.counts.accepted, counted(office)[0] - before - len(drafted)) == (expected, expected)


def a_draft(document: str, *, case_number: str) -> OrderRequest:
    return OrderRequest(
        court_id=COURT,
        district_id="lakeside-north",
        case_number=case_number,
        subject=NaturalPerson(name="A. Person"),
        lines=(Line(number=E164("+12025550160")),),
        authority=Authority(legal_basis="Rule 69", document_sha256=document),
        valid_for=timedelta(days=30),
    )


def test_rows_under_an_old_key_are_not_written(office: Office) -> None:
    request = ImportRequest(court_id=COURT, source=a_source(as_csv(a_table(MANY))), document_sha256=a_document(office))

    def progress(stage: str, done: int, _total: int) -> None:
        if stage == "check" and done == len(MANY):
            with office.engine.begin() as connection:
                connection.execute(update(installation).values(key_id="another"))

    before = counted(office)
    with pytest.raises(KeysChangedError):
        import_orders(office, request, clerk(), clock=utc_now, progress=progress)
    assert counted(office) == before


def test_a_batch_is_approved_order_by_order_with_its_own_words(office: Office) -> None:
    words = "The court of Lakeside gives notice."
    done = bring_in(office, [a_row(1, text_en=words), a_person_row(2)])
    result = approve_batch(office, done.batch_id, judge(), clock=utc_now)
    assert (result.batch.state, result.approved, result.failed) == (BatchState.APPROVED, 2, 0)
    first, second = sorted(seen(office, done.batch_id))
    with office.reading.connect() as connection:
        organisation = orders.read(connection, first, office.keys)
        person = orders.read(connection, second, office.keys)
        part = notices.written_parts(connection, organisation, Purpose.PUBLIC, office.cipher)[0]
        assert own_words.of_order(connection, first, office.keys) == {}
        tags = connection.execute(select(trail.c.tag)).scalars().all()
    assert part.text == words
    assert (organisation.state_at(utc_now()), person.state_at(utc_now())) == (OrderState.WARNED, OrderState.IN_FORCE)
    assert (organisation.approved_by, organisation.drafted_by) == ("per_judge", "per_clerk")
    assert tags.count(Tag.BATCH_APPROVED.value) == 1
    assert tags.count(Tag.ORDER_APPROVED.value) >= 2
    assert bring_in(office, [a_row(1, text_en=words), a_person_row(2)]).counts.known == 2
    with pytest.raises(BatchStateError):
        approve_batch(office, done.batch_id, judge(), clock=utc_now)


def test_who_imported_cannot_approve_nor_can_a_program(office: Office) -> None:
    done = bring_in(office, [a_row(1)])
    own = Errand(actor=an_officer(Role.APPROVER, "clerk"), at=utc_now())
    with pytest.raises(SameOfficerError):
        approve_batch(office, done.batch_id, own, clock=utc_now)
    program = replace(judge().actor, kind=ActorKind.API_KEY)
    with pytest.raises(NotAPersonError):
        approve_batch(office, done.batch_id, Errand(actor=program, at=utc_now()), clock=utc_now)


def test_one_order_that_cannot_be_approved_does_not_stop_the_others(office: Office) -> None:
    done = bring_in(office, [a_row(1), a_row(2, valid_days="1"), a_row(3)])
    result = approve_batch(office, done.batch_id, judge(), clock=utc_now)
    assert (result.batch.state, result.approved, result.failed) == (BatchState.READY, 2, 1)
    assert [each.code for each in result.failures] == ["invalid_window"]
    _, removed = withdraw_batch(office, done.batch_id, clerk())
    assert removed == 1
    assert len(seen(office, done.batch_id)) == 2


def test_an_approval_that_was_stopped_goes_on_where_it_was(office: Office) -> None:
    done = bring_in(office, [a_person_row(n) for n in range(4)])

    def progress(reached: int, _total: int) -> None:
        if reached == 2:
            raise UnpluggedError

    with pytest.raises(UnpluggedError):
        approve_batch(office, done.batch_id, judge(), clock=utc_now, progress=progress)
    assert read_batch(office, done.batch_id, clerk()).state is BatchState.READY
    result = approve_batch(office, done.batch_id, judge(), clock=utc_now)
    assert (result.approved, result.batch.state) == (4, BatchState.APPROVED)


def test_batches_are_listed_newest_first_and_are_nobody_elses_business(office: Office) -> None:
    now = utc_now()
    one = bring_in(office, [a_row(1)], errand=clerk(now)).batch_id
    two = bring_in(office, [a_row(2)], errand=clerk(now + timedelta(seconds=1))).batch_id
    found = list_batches(office, COURT, clerk())
    assert [each.batch_id for each in found] == [two, one]
    assert [each.batch_id for each in list_batches(office, COURT, clerk(), after=found[0].cursor)] == [one]
    stranger = Errand(actor=replace(an_officer(), grants=frozenset()), at=now)
    for read in (read_batch, withdraw_batch, batch_errors):
        with pytest.raises(UnknownEntryError):
            read(office, one, stranger)


@pytest.fixture
def bench(office: Office) -> Workbench:
    return Workbench(engine=office.engine, keys=office.keys, clock=utc_now, stop=threading.Event())


def work(office: Office, bench: Workbench) -> Mapping[str, Any]:
    """Carry out the next job, and return what it says."""
    job = claim_job(bench)
    assert job is not None
    run_job(bench, job, batch_handlers(office, utc_now))
    with office.reading.connect() as connection:
        after = jobs.get(connection, office.keys, job.job_id)
    return {"state": after.state, "error": after.error, **after.result}


def options(office: Office, **changed: Any) -> ImportOptions:  # noqa: ANN401  (each test changes fields it knows)
    return replace(ImportOptions(document_sha256=a_document(office)), **changed)


def upload(office: Office, rows: list[dict[str, str]], **changed: Any) -> str:  # noqa: ANN401  (as above)
    content = io.BytesIO(as_csv(a_table(rows)))
    return start_import(office, COURT, content, options(office, **changed), clerk()).batch_id


def test_a_job_imports_an_uploaded_file_and_another_approves_it(office: Office, bench: Workbench) -> None:
    batch_id = upload(office, [a_row(1), a_person_row(2)])
    assert [name for name in office.vault.names() if batch_id in name]
    assert read_batch(office, batch_id, clerk()).state is BatchState.LOADING
    said = work(office, bench)
    assert (said["state"], said["accepted"], said["refused"]) == ("ready", 2, 0)
    assert not [name for name in office.vault.names() if batch_id in name]
    start_approval(office, batch_id, judge())
    said = work(office, bench)
    assert (said["state"], said["approved"], said["failed"]) == ("approved", 2, 0)


def test_the_refused_rows_of_a_job_wait_in_the_vault_encrypted(office: Office, bench: Workbench) -> None:
    batch_id = upload(office, [a_row(1), a_person_row(2, district="nowhere")])
    said = work(office, bench)
    assert (said["state"], said["refused"], said["errors"][0]["column"]) == ("refused", 1, "district")
    batch = read_batch(office, batch_id, clerk())
    assert (batch.state, batch.has_errors) == (BatchState.REFUSED, True)
    rows = list(csv.DictReader(io.StringIO(b"".join(batch_errors(office, batch_id, clerk())).decode("utf-8-sig"))))
    assert [(row["name"], row["error_row"]) for row in rows] == [("Person 2", "3")]


def test_a_dry_run_as_a_job_says_what_would_be_and_writes_no_order(office: Office, bench: Workbench) -> None:
    before = counted(office)
    batch_id = upload(office, [a_row(1)], dry_run=True)
    said = work(office, bench)
    assert (said["dry_run"], said["accepted"]) == (True, 1)
    assert counted(office) == before
    assert read_batch(office, batch_id, clerk()).state is BatchState.WITHDRAWN


def test_a_file_that_is_no_table_fails_its_job_with_a_sentence(office: Office, bench: Workbench) -> None:
    batch_id = start_import(office, COURT, io.BytesIO(b"%PDF-1.7"), options(office, name="july.pdf"), clerk()).batch_id
    said = work(office, bench)
    assert (said["state"], said["error"]) == (JobState.FAILED, "import_file")
    assert "july.pdf" in said["message"]
    assert read_batch(office, batch_id, clerk()).state is BatchState.REFUSED
    assert not office.vault.names() & {f"import_{batch_id}"}


def test_a_worker_that_is_stopped_leaves_the_job_to_the_next(office: Office, bench: Workbench) -> None:
    batch_id = upload(office, MANY)
    bench.stop.set()
    job = claim_job(bench)
    assert job is not None
    run_job(bench, job, batch_handlers(office, utc_now))
    bench.stop.clear()
    assert seen(office, batch_id) == []
    assert work(office, bench)["accepted"] == len(MANY)


def test_an_officer_who_is_gone_imports_nothing(office: Office, bench: Workbench) -> None:
    gone = Errand(actor=replace(an_officer(), actor_id="per_nobody", kind=ActorKind.PERSON), at=utc_now())
    started = start_import(office, COURT, io.BytesIO(as_csv(a_table([a_row(1)]))), options(office), gone)
    assert work(office, bench)["state"] is JobState.FAILED
    assert read_batch(office, started.batch_id, clerk()).state is BatchState.REFUSED


def test_what_nobody_finished_is_swept_up_after_a_week(office: Office) -> None:
    batch_id = upload(office, [a_row(1)])
    assert sweep_batches(office, utc_now() + timedelta(days=6)) == 0
    assert sweep_batches(office, utc_now() + timedelta(days=8)) == 2
    assert read_batch(office, batch_id, clerk()).state is BatchState.WITHDRAWN
    assert not [name for name in office.vault.names() if batch_id in name]
