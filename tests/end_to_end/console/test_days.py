"""The day of each role at the console: a real browser, a real gunicorn, each database."""

import io
import re
import wave
from pathlib import Path
from uuid import uuid4

import numpy as np
from playwright.sync_api import Browser, expect

from gateway.assembly import Parts
from gateway.domain.rights import Role
from tests.end_to_end.call_script import Script
from tests.end_to_end.console.browsing import Visitor, visiting
from tests.end_to_end.court_system import A_PDF
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import a_line
from tests.end_to_end.server import Server

ORGANISATION = "Console Haulage Incorporated"


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
        judge.open(f"/orders/{order}/notices")
        judge.follow("Approve")
        judge.press("Approve this notice")
        assert judge.violations() == []
        _lift_in_two_clicks(clerk, case)
        assert clerk.sees("Lifted")
    assert twilio.call(Script(callee=line)).heard == ()


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
