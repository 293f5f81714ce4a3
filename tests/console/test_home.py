"""Home tells each role what waits for it, and nothing of anybody else's."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lxml import html
from werkzeug.test import TestResponse

from gateway.audit import call_counts
from gateway.audit.call_counts import CallCount
from gateway.clock import utc_now
from gateway.console.waiting_list import waiting_lists
from gateway.domain.notice import Purpose
from gateway.domain.plan import Decision
from gateway.domain.rights import Everywhere, InCourt, Role
from gateway.errands.jobs import Job, JobState
from gateway.register.batches import Batch, BatchState
from gateway.workflows.read_home import Home
from gateway.workflows.waiting import MOST_COUNTED, Waiting, WaitingProposal
from tests.builders_office import a_dispute, the_order
from tests.console.scene import Console, text_of

THAMESIDE = InCourt(court_id="thameside")
NUMBER = "+442079460110"


def _a_submitted_order(console: Console, case_number: str) -> str:
    clerk = console.registry.somebody(Role.CLERK)
    order_id = console.registry.a_draft("lakeside", clerk, case_number=case_number, district="lakeside-north")
    submitted = clerk.post(f"/orders/{order_id}/submit")
    assert submitted.status_code == 200, submitted.text
    return order_id


def _a_disputed_order(console: Console, case_number: str) -> str:
    """Return the id of a dispute about an approved order."""
    order_id = console.registry.an_approved_order("lakeside", case_number=case_number, district="lakeside-north")
    office = console.desk.office
    return a_dispute(office, the_order(office, order_id), number=NUMBER)


def _links_of(page: TestResponse) -> list[str]:
    document = html.document_fromstring(page.text)
    return [str(each.get("href")) for main in document.iter("main") for each in main.iter("a")]


def test_an_approver_finds_what_waits_for_approval_and_every_link_opens(console: Console) -> None:
    order_id = _a_submitted_order(console, "HC-WAITS-1")
    dispute_id = _a_disputed_order(console, "HC-DISPUTED-1")
    approver = console.somebody(Role.APPROVER)
    page = approver.get("/")
    links = _links_of(page)
    assert f"/console/orders/{order_id}" in links
    assert f"/console/disputes/{dispute_id}" in links
    assert "Orders to approve 1 HC-WAITS-1" in text_of(page)
    assert "Wrong person: " not in text_of(page)
    assert "Contested: HC-DISPUTED-1" in text_of(page)
    for link in links:
        assert approver.client.get(link).status_code == 200, link


def test_home_shows_nothing_of_another_court(console: Console) -> None:
    _a_submitted_order(console, "HC-WAITS-2")
    _a_disputed_order(console, "HC-DISPUTED-2")
    for role in (Role.APPROVER, Role.CLERK, Role.AUDITOR):
        page = console.somebody(role, scope=THAMESIDE).get("/")
        assert page.status_code == 200
        assert "HC-" not in page.text
        assert "Open disputes" not in page.text
        assert "Lakeside" not in page.text


def test_an_operator_sees_districts_first_and_no_case(sqlite_console: Console) -> None:
    console = sqlite_console
    _a_submitted_order(console, "HC-WAITS-3")
    _a_disputed_order(console, "HC-DISPUTED-3")
    page = console.somebody(Role.OPERATOR).get("/")
    text = text_of(page)
    assert "HC-" not in page.text
    assert NUMBER not in page.text
    assert "Nothing waits for you." in text
    assert text.index("Show and switch districts") < text.index("What waits for you")
    assert "South" in text


def test_own_drafts_wait_for_their_clerk_and_not_for_another(sqlite_console: Console) -> None:
    console = sqlite_console
    clerk = console.registry.somebody(Role.CLERK)
    console.registry.a_draft("lakeside", clerk, case_number="HC-DRAFT-4", district="lakeside-north")
    assert "HC-DRAFT-4" in text_of(console.with_session(clerk.person_id, clerk.token).get("/"))
    assert "HC-DRAFT-4" not in console.somebody(Role.CLERK).get("/").text


def test_batches_proposals_and_failed_jobs_lead_to_their_pages(sqlite_console: Console) -> None:
    order_id = sqlite_console.registry.an_approved_order("lakeside", district="lakeside-north")
    order = the_order(sqlite_console.desk.office, order_id)
    at = utc_now()
    batch = Batch(
        batch_id="bat_1",
        court_id="lakeside",
        state=BatchState.READY,
        file_sha256="0" * 64,
        accepted=1500,
        known=0,
        refused=0,
        approved=0,
        has_errors=False,
        created_by="per_1",
        created_at=at,
        finished_at=at,
    )
    job = Job(
        job_id="job_1",
        kind="import",
        court_id="lakeside",
        payload={"batch": "bat_2"},
        state=JobState.FAILED,
        done=0,
        total=0,
        attempts=3,
        due_at=at,
        result={"message": "The file has no rows."},
        error="import_file",
        created_by="per_1",
        created_at=at,
        finished_at=at,
    )
    proposal = WaitingProposal(order=order, purpose=Purpose.PUBLIC, language="en", added_by="per_1", added_at=at)
    home = Home(
        batches=Waiting(count=MOST_COUNTED, first=(batch,)),
        failed_jobs=Waiting(count=1, first=(job,)),
        proposals=Waiting(count=1, first=(proposal,)),
        silent=Waiting(count=0, first=()),
    )
    with sqlite_console.app.test_request_context("/console/"):
        found = {each.name: each for each in waiting_lists(home, {})}
    assert set(found) == {"batches", "failed_jobs", "proposals"}
    assert (found["batches"].number, found["batches"].rest) == ("1,000 or more", MOST_COUNTED - 1)
    assert [each.entries[0].text for each in found.values()] == [
        "1,500 orders",
        f"{order.case_number}: Notice to callers (en)",
        "The file has no rows.",
    ]
    assert [each.entries[0].href for each in found.values()] == [
        "/console/batches/bat_1",
        f"/console/orders/{order_id}/notices",
        "/console/batches/bat_2",
    ]


def test_who_has_no_role_yet_finds_a_quiet_page(sqlite_console: Console) -> None:
    page = sqlite_console.somebody(scope=None).get("/")
    assert text_of(page) == "Home What waits for you Nothing waits for you."


def _count_calls(console: Console, *counts: CallCount) -> None:
    with console.desk.office.engine.begin() as connection:
        call_counts.add(connection, counts)


def test_todays_calls_are_a_chart_and_a_table_by_the_courts_clock(console: Console) -> None:
    now = utc_now()
    zone = ZoneInfo("America/New_York")
    local = now.astimezone(zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)
    _count_calls(
        console,
        CallCount(hour=midnight - timedelta(hours=1), outcome=Decision.CONNECT, calls=7000),
        CallCount(hour=midnight, outcome=Decision.CONNECT, calls=1234),
        CallCount(hour=midnight, outcome=Decision.PUBLIC_NOTICE, calls=5),
        CallCount(hour=midnight + timedelta(hours=3), outcome=Decision.PRIVATE_NOTICE, calls=2),
        CallCount(hour=midnight + timedelta(hours=3), outcome=Decision.WARNING, calls=1),
    )
    page = console.somebody(Role.CLERK).get("/")
    assert "1,242 calls so far" in text_of(page)
    assert "America/New_York" in text_of(page)
    table = next(html.fromstring(page.text).iter("tbody"))
    cells = [[each.strip() for each in row.itertext() if each.strip()] for row in table.iter("tr")]
    assert cells[0] == ["00", "5", "0", "1,234", "1,239"]
    assert cells[3] == ["03", "0", "3", "0", "3"]
    assert 'role="img"' in page.text


def test_a_day_without_a_call_is_told_in_a_sentence(sqlite_console: Console) -> None:
    page = sqlite_console.somebody(Role.CLERK, scope=Everywhere()).get("/")
    assert "No call has come in today." in text_of(page)
    assert "<svg" not in page.text
