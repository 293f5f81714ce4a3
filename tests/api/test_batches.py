import csv
import io
import threading
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.domain.rights import Right, Role
from gateway.workflows.batch_jobs import batch_handlers
from gateway.workflows.run_jobs import Workbench, claim_job, run_job
from tests.api.builders import Person, Registry, in_court

COLUMNS = ("case_number", "district", "subject_kind", "name", "lines", "valid_days")


def json_of(answer: TestResponse) -> dict[str, Any]:
    assert answer.json is not None, answer.text
    found: dict[str, Any] = answer.json
    return found


def a_file(court: str, *lines: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number, line in enumerate(lines):
        writer.writerow([f"IM-{number}", f"{court}-one", "natural_person", f"Canary {number}", line, "60"])
    return text.getvalue().encode()


def start(person: Person, registry: Registry, court: str, content: bytes, **form: str) -> dict[str, Any]:
    """Send a file to be imported, and have the worker do it."""
    more = {"legal_basis": "Section 12", "document_sha256": registry.a_document(court)} | form
    answer = person.upload(f"/courts/{court}/imports", "orders", content, more)
    assert answer.status_code == 202, answer.text
    work(registry)
    return json_of(person.get(answer.headers["Location"].removeprefix("/api/v1")))


def work(registry: Registry) -> None:
    """Carry out the job that is due."""
    office = registry.desk.office
    bench = Workbench(engine=office.engine, keys=office.keys, clock=utc_now, stop=threading.Event())
    job = claim_job(bench)
    assert job is not None
    run_job(bench, job, batch_handlers(office, utc_now))


def test_a_file_of_orders_is_imported_approved_as_a_batch_and_taken_away_again(registry: Registry) -> None:
    court = registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    approver = registry.somebody(Role.APPROVER, scope=in_court(court))
    job = start(clerk, registry, court, a_file(court, "+442079460121", "+442079460122"))
    assert (job["state"], job["error"]) == ("done", None), job
    batch = job["result"]["batch"]
    shown = json_of(clerk.get(f"/batches/{batch}"))
    assert (shown["state"], shown["accepted"]) == ("ready", 2)
    assert [each["id"] for each in json_of(clerk.get("/batches"))["items"]] == [batch]
    assert len(json_of(clerk.get(f"/orders?batch={batch}&state=submitted"))["items"]) == 2
    started = approver.post(f"/batches/{batch}/approve")
    assert started.status_code == 202, started.text
    work(registry)
    done = json_of(approver.get(f"/jobs/{json_of(started)['job']}"))
    assert (done["state"], done["result"]["approved"]) == ("done", 2), done
    assert len(json_of(clerk.get(f"/orders?batch={batch}&state=in_force"))["items"]) == 2
    exported = approver.get(f"/exports/orders?batch={batch}")
    assert exported.content_type.startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(exported.data.decode("utf-8-sig"))))
    assert sorted(row["case_number"] for row in rows) == ["IM-0", "IM-1"]


def test_rows_that_were_refused_come_back_in_a_file_to_be_mended(registry: Registry) -> None:
    court = registry.a_court()
    clerk = registry.somebody(Role.CLERK, scope=in_court(court))
    job = start(clerk, registry, court, a_file(court, "+442079460121", "nonsense"), mode="per-row")
    batch = job["result"]["batch"]
    assert (job["result"]["accepted"], job["result"]["refused"]) == (1, 1), job
    refused = clerk.get(f"/batches/{batch}/errors")
    rows = list(csv.DictReader(io.StringIO(refused.data.decode("utf-8-sig"))))
    assert [(row["error_row"], row["error_column"]) for row in rows] == [("3", "lines")]
    withdrawn = clerk.post(f"/batches/{batch}/withdraw")
    assert json_of(withdrawn)["removed"] == 1
    assert json_of(clerk.get("/orders"))["items"] == []


def test_who_imported_cannot_approve(sqlite_registry: Registry) -> None:
    court = sqlite_registry.a_court()
    both = sqlite_registry.somebody(Role.CLERK, Role.APPROVER, scope=in_court(court))
    job = start(both, sqlite_registry, court, a_file(court, "+442079460121"))
    answer = both.post(f"/batches/{job['result']['batch']}/approve")
    assert (answer.status_code, json_of(answer)["code"]) == (409, "same_officer")


@pytest.mark.parametrize("form", [{"mode": "somehow"}, {"dry_run": "perhaps"}, {"colour": "red"}])
def test_a_form_that_asks_for_what_there_is_not_is_refused(sqlite_registry: Registry, form: dict[str, str]) -> None:
    court = sqlite_registry.a_court()
    clerk = sqlite_registry.somebody(Role.CLERK)
    answer = clerk.upload(f"/courts/{court}/imports", "orders", b"x", form)
    assert (answer.status_code, json_of(answer)["errors"][0]["field"]) == (422, f"?{next(iter(form))}")


def test_jobs_and_batches_of_another_court_do_not_exist(sqlite_registry: Registry) -> None:
    court, other = sqlite_registry.a_court(), sqlite_registry.a_court("seaside")
    clerk = sqlite_registry.somebody(Role.CLERK, scope=in_court(court))
    job = start(clerk, sqlite_registry, court, a_file(court, "+442079460121"))
    stranger = sqlite_registry.somebody(*Role, scope=in_court(other))
    batch = job["result"]["batch"]
    for path in (f"/jobs/{job['id']}", f"/batches/{batch}", f"/batches/{batch}/errors"):
        assert stranger.get(path).status_code == 404, path
    for path in (f"/batches/{batch}/approve", f"/batches/{batch}/withdraw"):
        assert stranger.post(path).status_code == 404, path
    assert json_of(stranger.get("/batches"))["items"] == []


def test_the_holder_of_a_line_is_told_what_is_held_and_the_trail_has_it(registry: Registry) -> None:
    court = registry.a_court()
    order = registry.an_approved_order(court)
    auditor = registry.somebody(Role.AUDITOR, scope=in_court(court))
    told = auditor.post("/disclosures", {"line": "+442079460110"})
    assert [each["order"] for each in json_of(told)["orders"]] == [order]
    trail = json_of(auditor.get("/audit?tag=office:line:disclosed"))["items"]
    assert [entry["actor"] for entry in trail] == [auditor.person_id]
    program = registry.a_program([Right.ORDERS_READ], in_court(court))
    assert program.post("/disclosures", {"line": "+442079460110"}).status_code == 403


def test_the_trail_and_the_statistics_tell_of_what_was_done(registry: Registry) -> None:
    court = registry.a_court()
    order = registry.an_approved_order(court)
    auditor = registry.somebody(Role.AUDITOR, scope=in_court(court))
    tags = [entry["tag"] for entry in json_of(auditor.get(f"/audit?subject={order}&limit=2"))["items"]]
    assert tags == ["office:order:approved", "office:order:submitted"]
    today = utc_now().date().isoformat()
    counted = auditor.get(f"/courts/{court}/statistics?since={today}&until={today}")
    assert json_of(counted)["orders"]["warned"] == 1, counted.text
    assert json_of(auditor.get(f"/plays?order={order}"))["items"] == []
    refused = auditor.get(f"/courts/{court}/statistics?since=2026-01-02&until=2026-01-01")
    assert (refused.status_code, json_of(refused)["code"]) == (422, "period")
