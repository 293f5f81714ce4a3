import csv
import io
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from lxml import html
from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.domain.rights import InCourt, Role
from gateway.workflows.batch_jobs import batch_handlers
from gateway.workflows.run_jobs import Workbench, claim_job, run_job
from tests.api.builders import PDF
from tests.console.scene import Console, Reader, errors_of, text_of

ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "docs" / "import-sample.csv").read_bytes()
BAD_ROW = b"2026-CV-9009,lakeside-north,natural_person,Canary Person,,,nonsense,,,Rule 4,en,30,\n"
FLAWED = SAMPLE.rstrip(b"\n") + b"\n" + BAD_ROW


def seen_in(page: TestResponse, path: str) -> list[Any]:
    """Return what an XPath finds in a page: elements, or texts."""
    return list(cast("Iterable[Any]", html.fromstring(page.text).xpath(path)))


def work(console: Console) -> None:
    """Carry out the job that is due, as the worker does."""
    office = console.desk.office
    bench = Workbench(engine=office.engine, keys=office.keys, clock=utc_now, stop=threading.Event())
    job = claim_job(bench)
    assert job is not None
    run_job(bench, job, batch_handlers(office, utc_now))


def where(answer: TestResponse) -> str:
    """Return the address that an answer leads to, below /console."""
    assert answer.status_code == 303, (answer.status_code, errors_of(answer))
    return answer.headers["Location"].removeprefix("/console")


def sent(clerk: Reader, content: bytes, how: str) -> str:
    """Send a file and return the address of its batch."""
    files = {"orders": ("orders.csv", content), "document": ("order.pdf", PDF)}
    return where(clerk.send("/batches/new", files, court="lakeside", how=how))


def counts(page: TestResponse) -> list[str]:
    """Return the counts that a batch's page shows."""
    return [each.strip() for each in seen_in(page, "//*[@id='batch']/dl//dd/text()")]


def test_the_sample_file_is_checked_then_imported_then_approved(console: Console) -> None:
    clerk, approver = console.somebody(Role.CLERK), console.somebody(Role.APPROVER)
    check = sent(clerk, SAMPLE, "check")
    assert "It waits for its turn" in text_of(clerk.get(check))
    work(console)
    checked = clerk.get(check)
    assert "Checked only" in text_of(checked)
    assert counts(checked) == ["3", "0", "0"]
    batch = sent(clerk, SAMPLE, "all-or-nothing")
    work(console)
    seen = clerk.get(batch)
    assert counts(seen) == ["3", "0", "0", "0"]
    assert "Sample Foods Incorporated" in text_of(seen)
    assert f"/console{batch}/approve" not in seen.text
    assert f"/console{batch}/approve" in approver.get(batch).text
    assert where(approver.send(f"{batch}/approve")) == batch
    work(console)
    approved = clerk.get(batch)
    assert counts(approved) == ["3", "0", "0", "3"]
    assert text_of(clerk.get("/batches")).count("Lakeside County Court") == 2


def test_a_row_that_is_refused_is_shown_and_comes_back_in_a_file(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    batch = sent(clerk, FLAWED, "per-row")
    work(console)
    seen = clerk.get(batch)
    assert counts(seen) == ["3", "0", "1", "0"]
    row = seen_in(seen, "//tr[td/code]")[0]
    assert [cell.text_content().strip() for cell in row][:2] == ["5", "lines"]
    answer = clerk.get(f"{batch}/errors")
    assert answer.content_type.startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(each["case_number"], each["error_column"]) for each in rows] == [("2026-CV-9009", "lines")]
    whole = sent(clerk, FLAWED.replace(b"-90", b"-91"), "all-or-nothing")
    work(console)
    assert "Nothing of it was imported" in text_of(clerk.get(whole))


def test_a_file_is_withdrawn_after_a_question(console: Console) -> None:
    clerk = console.somebody(Role.CLERK)
    batch = sent(clerk, SAMPLE, "per-row")
    work(console)
    page = clerk.get(f"{batch}/withdraw")
    assert "Withdraw this file?" in text_of(page)
    assert where(clerk.send_as_seen(f"{batch}/withdraw", page)) == batch
    assert where(clerk.send_as_seen(f"{batch}/withdraw", page)) == batch
    assert "Withdrawn" in text_of(clerk.get(batch))
    assert "2026-CV-9001" not in clerk.get("/orders").text


def test_the_part_that_moves_asks_until_there_is_nothing_left_to_wait_for(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    batch = sent(clerk, SAMPLE, "per-row")
    assert seen_in(clerk.get(batch), "//@hx-get") == [f"/console{batch}/progress"]
    waiting = clerk.get(f"{batch}/progress")
    assert (waiting.status_code, "<html" in waiting.text) == (200, False)
    work(sqlite_console)
    assert clerk.get(f"{batch}/progress").status_code == 286
    assert seen_in(clerk.get(batch), "//@hx-get") == []


def test_a_file_that_is_sent_twice_is_imported_once(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    page = clerk.get("/batches/new")
    files = {"orders": ("orders.csv", SAMPLE), "document": ("order.pdf", PDF)}
    first = where(clerk.send_as_seen("/batches/new", page, files, court="lakeside", how="per-row"))
    assert where(clerk.send_as_seen("/batches/new", page, files, court="lakeside", how="per-row")) == first


def test_who_sent_a_file_cannot_approve_it(sqlite_console: Console) -> None:
    both = sqlite_console.somebody(Role.CLERK, Role.APPROVER)
    batch = sent(both, SAMPLE, "per-row")
    work(sqlite_console)
    refused = both.send(f"{batch}/approve")
    assert refused.status_code == 409
    assert "a second officer must" in " ".join(errors_of(refused))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"orders": ""}, "orders"),
        ({"court": "bayside"}, "court"),
        ({"how": "somehow"}, "how"),
        ({"document": ("order.pdf", b"MZ\x90\x00")}, "document"),
    ],
)
def test_what_is_wrong_with_the_form_is_said_beside_its_field(
    sqlite_console: Console, typed: dict[str, object], field: str
) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    good: dict[str, object] = {"orders": ("orders.csv", SAMPLE), "court": "lakeside", "how": "per-row"}
    refused = clerk.send("/batches/new", good | typed, legal_basis="Rule 69 kept")
    assert refused.status_code == 422
    assert seen_in(refused, f"//*[@id='{field}-error']")
    assert "Rule 69 kept" in refused.text


def test_what_is_no_table_is_refused_by_the_worker_in_words(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    batch = sent(clerk, PDF, "per-row")
    work(sqlite_console)
    seen = text_of(clerk.get(batch))
    assert "The file could not be imported." in seen
    assert "cannot be imported" in seen


def test_files_of_another_court_are_not_there(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    batch = sent(clerk, FLAWED, "per-row")
    work(sqlite_console)
    stranger = sqlite_console.somebody(*Role, scope=InCourt(court_id="bayside"))
    for path in (batch, f"{batch}/progress", f"{batch}/errors", f"{batch}/approve", f"{batch}/withdraw"):
        assert stranger.get(path).status_code == 404, path
    assert batch not in stranger.get("/batches").text


def test_who_may_not_is_told_so_and_is_shown_no_button(sqlite_console: Console) -> None:
    clerk, auditor = sqlite_console.somebody(Role.CLERK), sqlite_console.somebody(Role.AUDITOR)
    batch = sent(clerk, FLAWED, "per-row")
    work(sqlite_console)
    for path in ("/batches/new", f"{batch}/errors", f"{batch}/approve"):
        assert auditor.get(path).status_code == 403, path
    for path in ("withdraw", "approve", "errors"):
        assert f"{batch}/{path}" not in auditor.get(batch).text
    assert clerk.get(f"{batch}/approve").status_code == 403
    assert sqlite_console.somebody(Role.OPERATOR).get("/batches").status_code == 403


def test_the_sample_to_download_is_the_one_in_the_guide(sqlite_console: Console) -> None:
    clerk = sqlite_console.somebody(Role.CLERK)
    [address] = seen_in(clerk.get("/batches/new"), "//a[@download]/@href")
    with clerk.client.get(address) as answer:
        assert answer.data == SAMPLE
