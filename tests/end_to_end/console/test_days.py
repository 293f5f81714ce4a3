"""The day of each role at the console: a real browser, a real gunicorn, each database."""

import io
import re
import wave
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyotp
from playwright.sync_api import Browser, expect

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.rights import Everywhere, Role
from gateway.workflows.load_demo import person_in_permitted_hours
from tests.end_to_end.call_script import Press, Script
from tests.end_to_end.console.browsing import Visitor, visiting
from tests.end_to_end.court_system import A_PDF
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import a_line
from tests.end_to_end.server import METRICS_TOKEN, Server

ORGANISATION = "Console Haulage Incorporated"
# An organisation of the demo under an order in force, in the district lakeside-north.
HEARD_LINE = "+12025550110"


def test_a_clerks_and_an_approvers_day(
    browser: Browser, server: Server, office: Parts, twilio: Twilio, tmp_path: Path
) -> None:
    line, case = a_line(), f"2026-DAY-{uuid4().hex[:8]}"
    with (
        visiting(browser, server, office, Role.CLERK) as clerk,
        visiting(browser, server, office, Role.APPROVER) as judge,
    ):
        order = _draft(clerk, case, line)
        _approve(judge, case)
        judge.open(f"/orders/{order}")
        assert judge.sees("Warning period")
        _hear_the_warning(clerk, line)
        _record(clerk, order)
        _upload(clerk, order, tmp_path)
        judge.open(f"/orders/{order}/notices/en/proposal")
        judge.follow("Approve this notice")
        judge.press("Approve this notice")
        assert judge.violations() == []
        _lift_in_two_clicks(clerk, case)
        assert clerk.sees("Lifted")
    assert twilio.call(Script(callee=line)).is_plain


def _draft(clerk: Visitor, case: str, line: str) -> str:
    """Draft an order in steps, put it aside once, and submit it."""
    clerk.open("/orders/new")
    clerk.page.get_by_label("District", exact=True).select_option(value="lakeside-north")
    clerk.press("Continue")
    clerk.fill("Case number", case)
    clerk.page.get_by_label("An organisation").check()
    clerk.fill("Name", ORGANISATION)
    clerk.page.get_by_label("Register", exact=True).select_option(value="ein")
    clerk.fill("Number in the register", "12-3456789")
    clerk.press("Continue")
    # An EIN is given to sole traders too: without the legal form it is refused, and nothing is lost.
    assert clerk.sees("There is a problem")
    assert clerk.violations() == []
    clerk.fill("Legal form", "Inc.")
    clerk.press("Continue")
    clerk.fill("Number", line)
    clerk.fill("Time zone", "America/New_York")
    clerk.press("Save and come back later")
    assert clerk.violations() == []
    clerk.follow("Continue")
    clerk.follow("Change Lines")
    assert clerk.page.get_by_label("Number", exact=True).input_value() == line
    clerk.fill("Where the organisation publishes it, and when that was seen", "https://example.com, seen 2026-11-20")
    clerk.press("Continue")
    assert clerk.sees("Check your answers")
    clerk.follow("Change Authority")
    clerk.fill("Legal basis", "A law made for this test")
    clerk.page.get_by_label("Authority document").set_input_files(
        {"name": "order.pdf", "mimeType": "application/pdf", "buffer": A_PDF + case.encode()}
    )
    clerk.press("Continue")
    clerk.follow("Change Validity and languages")
    clerk.fill("Valid for how many days", "90")
    clerk.press("Continue")
    assert clerk.sees("Check your answers")
    assert clerk.violations() == []
    clerk.press("Draft the order and submit it")
    assert clerk.sees("Waiting for approval"), clerk.said
    assert clerk.violations() == []
    found = re.match(r"/orders/(ord_\w+)", clerk.path)
    assert found is not None, clerk.path
    return found[1]


def _approve(judge: Visitor, case: str) -> None:
    """Find the order on the home page, read it beside its document, approve it."""
    judge.open("/")
    judge.follow(case)
    judge.follow("Approve")
    assert judge.sees(ORGANISATION)
    assert judge.violations() == []
    judge.press("Approve the order")


def _hear_the_warning(clerk: Visitor, line: str) -> None:
    """Try a call, and hear that the callee is warned while the caller hears nothing but ringing."""
    clerk.open("/try")
    clerk.fill("Line that is called", line)
    clerk.press("Try this call")
    assert clerk.sees("The warning is played to the callee") or clerk.sees("warn"), clerk.said
    assert clerk.violations() == []
    tracks = [_track(clerk, party) for party in ("caller", "callee")]
    caller, callee = (np.abs(each.astype(np.int32)) for each in tracks)
    assert caller.size == callee.size > 8000 * 5
    # While the warning is spoken, the caller hears the line ring and pause, as on any call.
    assert (callee > 2000).mean() > 2 * (caller > 2000).mean()
    expect(clerk.page.locator("audio")).to_have_count(2)


def _track(clerk: Visitor, party: str) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    source = clerk.page.locator(f"audio[src*='/try/{party}.wav']").get_attribute("src")
    answer = clerk.page.request.get(f"{clerk.origin}{source}")
    assert answer.ok
    with wave.open(io.BytesIO(answer.body())) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


def _record(clerk: Visitor, order: str) -> None:
    """Record in the browser, whose microphone beeps; hear it, and leave it."""
    clerk.open(f"/orders/{order}/notices/en/recording")
    clerk.page.get_by_role("button", name="Start recording").click()
    clerk.page.wait_for_timeout(3000)
    clerk.page.get_by_role("button", name="Stop recording").click()
    expect(clerk.page.get_by_role("button", name="Record again")).to_be_visible()
    chosen = clerk.page.evaluate("[...document.getElementById('recording').files].map(file => file.size)")
    assert len(chosen) == 1
    assert chosen[0] > 1000
    assert clerk.violations() == []


def _upload(clerk: Visitor, order: str, folder: Path) -> None:
    """Upload a recording and hear it as the telephone will play it."""
    clerk.open(f"/orders/{order}/notices/en/recording")
    clerk.page.locator("#recording").set_input_files(_a_recording(folder))
    clerk.press("Propose this recording")
    assert clerk.violations() == []
    assert clerk.page.locator("main svg").count() >= 1
    source = clerk.page.locator("main audio").first.get_attribute("src")
    sound = clerk.page.request.get(f"{clerk.origin}{source}")
    assert sound.ok
    assert sound.body()[:4] == b"RIFF"


def _a_recording(folder: Path) -> Path:
    """Return four seconds of something like speech: a tone that swells and fades three times a second."""
    path, rate = folder / "notice.wav", 16_000
    times = np.arange(4 * rate) / rate
    samples = (9000 * np.sin(2 * np.pi * 330 * times) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * times))).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def _lift_in_two_clicks(clerk: Visitor, case: str) -> None:
    """Find the order from another page, lift it, and read when that took effect."""
    clerk.open("/try")
    clerk.page.get_by_role("searchbox").fill(case)
    clerk.page.get_by_role("searchbox").press("Enter")
    clerk.page.wait_for_load_state("load")
    clerk.follow("Lift")
    clerk.fill("Reason", "Paid in full.")
    clerk.press("Lift the order")
    assert clerk.violations() == []


def test_an_operators_day(browser: Browser, server: Server, office: Parts, twilio: Twilio) -> None:
    """Switch a district off and on again; calls obey at once."""
    with visiting(browser, server, office, Role.OPERATOR) as operator:
        assert twilio.call(Script(callee=HEARD_LINE)).caller_heard
        operator.open("/districts/lakeside-north/switch")
        operator.press("Switch off North")
        # A reason must be given, and what is asked for is said beside the field.
        assert operator.sees("There is a problem")
        assert operator.violations() == []
        operator.fill("Reason", "An exercise.")
        operator.press("Switch off North")
        assert operator.sees("An exercise.")
        assert operator.violations() == []
        assert twilio.call(Script(callee=HEARD_LINE)).is_plain
        operator.open("/districts/lakeside-north/switch")
        operator.fill("Reason", "The exercise is over.")
        operator.press("Switch on North")
        assert twilio.call(Script(callee=HEARD_LINE)).caller_heard


def test_an_auditors_day(browser: Browser, server: Server, office: Parts, twilio: Twilio) -> None:
    """Read the trail and the plays, and verify both."""
    assert twilio.call(Script(callee=HEARD_LINE)).caller_heard
    with visiting(browser, server, office, Role.AUDITOR) as auditor:
        auditor.open("/audit")
        assert auditor.violations() == []
        auditor.open("/plays")
        assert auditor.sees("Notice to callers"), auditor.said
        auditor.open("/audit/verify")
        auditor.page.locator("main form button").last.click()
        auditor.page.wait_for_load_state("load")
        assert auditor.page.get_by_role("heading", level=1).inner_text() in {"Nothing is wrong", "Something is wrong"}
        assert auditor.violations() == []


def test_an_administrators_day(browser: Browser, server: Server, office: Parts) -> None:
    """Add a person, who enrols and signs in; issue a key, which is shown once; look at the settings."""
    login, password = f"{uuid4().hex}@example.org", "a sentence that nobody guesses"
    with visiting(browser, server, office, Role.ADMINISTRATOR, scope=Everywhere()) as administrator:
        administrator.open("/people/add")
        administrator.fill("Name", "Sam Example")
        administrator.fill("Login", login)
        administrator.page.get_by_label("Clerk").check()
        administrator.page.get_by_label("Where these roles hold").select_option(index=1)
        administrator.press("Add the person")
        assert administrator.violations() == []
        code = re.search(r"cne_[\w-]+", administrator.said)
        assert code is not None, administrator.said
        administrator.open("/settings")
        assert administrator.violations() == []
        assert administrator.sees("NOTICE_GATEWAY_METRICS_TOKEN")
        assert METRICS_TOKEN not in administrator.page.content()
    newcomer = browser.new_page()
    newcomer.goto(f"{server.origin}/console/enrol")
    newcomer.locator("main input[type=text], main input:not([type])").first.fill(code[0])
    newcomer.get_by_role("button", name="Go on").click()
    newcomer.wait_for_load_state("load")
    secret = re.search(r"\b[A-Z2-7]{32}\b", newcomer.locator("main").inner_text().replace(" ", ""))
    assert secret is not None, newcomer.locator("main").inner_text()
    for field in newcomer.locator("main input[type=password]").all():
        field.fill(password)
    newcomer.locator("main input[inputmode=numeric]").fill(pyotp.TOTP(secret[0]).now())
    newcomer.get_by_role("button", name="Set the password").click()
    newcomer.wait_for_load_state("load")
    assert "cne_" not in newcomer.url
    newcomer.context.close()


def test_a_dispute_is_opened_on_the_telephone_and_resolved_in_the_console(
    browser: Browser, server: Server, office: Parts, twilio: Twilio
) -> None:
    person = person_in_permitted_hours(utc_now())[0]
    twilio.call(Script(callee=person, presses=(Press(party="callee", prompt=0, key="9"),)))
    with visiting(browser, server, office, Role.APPROVER, scope=Everywhere()) as judge:
        judge.open("/disputes")
        assert judge.violations() == []
        judge.page.locator("main table a").first.click()
        judge.page.wait_for_load_state("load")
        assert judge.sees("9"), judge.said
        assert judge.violations() == []
        judge.page.locator("main a[href*='/resolve/resume']").click()
        judge.page.wait_for_load_state("load")
        judge.page.locator("main form button").last.click()
        judge.page.wait_for_load_state("load")
        assert judge.violations() == []
