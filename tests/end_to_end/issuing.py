"""Issuing orders beside a running gateway, from the test's own process and with a voice that hums."""

import re
from datetime import datetime, time, timedelta
from itertools import count
from uuid import uuid4
from zoneinfo import ZoneInfo

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.court import District
from gateway.domain.e164 import E164
from gateway.domain.order import Authority, Order
from gateway.domain.subject import NaturalPerson, Organisation, Subject
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_order import OrderDraft, issue_order
from gateway.workflows.publish_notice import Wanted
from gateway.workflows.set_up_court import add_district
from tests.conftest import a_studio
from tests.end_to_end.independent_twilio import Twilio

_WARNING_PERIOD = timedelta(days=3)
_lines = count()


def a_line() -> str:
    """Return a line that no other test of this process has: reserved for fiction (Ofcom, 020 7946 0xxx)."""
    return f"+442079460{200 + next(_lines) % 800:03}"


def an_organisation() -> Organisation:
    return Organisation(name="Specimen Haulage Incorporated", identifier=read_identifier("ein", "12-3456784", "Inc."))


def a_person() -> NaturalPerson:
    return NaturalPerson(name="B. Nobody")


def a_district(office: Parts) -> str:
    """Add a district of the demo's first court and return its id."""
    district_id = f"lakeside-{uuid4().hex[:8]}"
    added = District(district_id=district_id, court_id="lakeside", name="New", parent_id="lakeside", enabled=True)
    add_district(office.studio.engine, office.studio.keys, added, at_the_command_line(utc_now()))
    return district_id


def an_issued_order(
    office: Parts, line: str, *, about: Subject | None = None, district_id: str = "lakeside-north", warned: bool = False
) -> Order:
    """Issue an order on `line`: in force, or still in its warning period."""
    subject = about or an_organisation()
    now = utc_now()
    draft = OrderDraft(
        court_id="lakeside",
        district_id=district_id,
        case_number=f"2026-E2E-{uuid4().hex[:6]}",
        subject=subject,
        lines=(Line(number=E164(line), zone=an_open_zone(now), evidence="its own web page"),),
        authority=Authority(legal_basis="A test's own law", document_sha256="0" * 64),
        officers=Officers(added_by="clerk", approved_by="judge"),
        valid_for=timedelta(days=30),
        wanted=Wanted(languages=("en",)),
    )
    began = now if warned or isinstance(subject, NaturalPerson) else now - _WARNING_PERIOD - timedelta(hours=1)
    return issue_order(a_studio(office), draft, at_the_command_line(began))


def an_open_zone(now: datetime) -> str:
    """Return a time zone in which it is far from night."""
    zones = ("Europe/London", "America/New_York", "Australia/Sydney", "Asia/Tokyo", "Pacific/Auckland")
    return next(zone for zone in zones if time(9) <= now.astimezone(ZoneInfo(zone)).time() < time(20))


def wait_until_known(twilio: Twilio, line: str) -> None:
    """Wait until every worker knows of an order on `line`: 24 calls in a row, each on a connection of its own."""
    deadline = utc_now() + timedelta(seconds=10)
    while utc_now() < deadline:
        if all(re.search(rb"/prompts/|/twilio/whisper", twilio.knock(line)) for _ in range(24)):
            return
    raise AssertionError("a new order is not known to all workers")
