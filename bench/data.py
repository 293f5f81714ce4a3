"""The data folder that is measured: the demo's courts, and thousands of organisations under orders.

One notice is made, with a voice that hums, and all orders have it: what is measured never opens a recording.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from gateway.assembly import Parts, prepare
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.notice import Purpose
from gateway.domain.order import Authority, Order, approve, submit
from gateway.domain.subject import Organisation
from gateway.privacy.field import FieldCipher
from gateway.register import courts, districts, notices, orders
from gateway.register.identifiers import read_identifier
from gateway.register.ids import new_id
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.settings import Settings, load
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_order import OrderDraft, issue_order
from gateway.workflows.load_demo import COURTS, DISTRICTS
from gateway.workflows.publish_notice import Wanted
from tests.fakes import HummingSynthesizer

ORIGIN = "https://gateway.example.org"
_COURT, _DISTRICT = "lakeside", "lakeside-north"
_OFFICERS = Officers(added_by="bench.clerk", approved_by="bench.judge")
_AUTHORITY = Authority(legal_basis="Bench only: no law, no court, no debt.", document_sha256="0" * 64)
_ISSUED_AGO, _WARNING, _VALID = timedelta(days=4), timedelta(days=3), timedelta(days=90)


def ordered_line(number: int) -> str:
    """Return the n-th line under an order, of 10,000 in the block 03 7010 0000 that is reserved for fiction (ACMA)."""
    return f"+6137010{number:04d}"


def settings_for(folder: Path) -> Settings:
    """Return the settings of the gateway that is measured."""
    # What the environment of the person who runs the bench may set is not measured.
    return load(data_dir=folder, public_origin=ORIGIN, database_url="", master_key=None, twilio_auth_token=None)


def make_data(folder: Path, orders_wanted: int) -> None:
    """Make the demo's courts in an empty folder, and put `orders_wanted` publication orders in force."""
    now = utc_now()
    settings = settings_for(folder)
    parts = prepare(settings)
    settings.demo_mark.write_text("demo", encoding="utf-8")
    with parts.studio.engine.begin() as connection:
        for court in COURTS:
            courts.add(connection, court)
        for district in DISTRICTS:
            districts.add(connection, district, now)
    _add_orders(parts, orders_wanted, now)
    parts.close()


def _add_orders(parts: Parts, wanted: int, now: datetime) -> None:
    """Issue one order whole, then add others through the register's own functions, with the notices of the first."""
    studio = replace(parts.studio, synthesizer=HummingSynthesizer())
    first = issue_order(studio, _DRAFT, at_the_command_line(now - _ISSUED_AGO))
    cipher = FieldCipher(parts.keys)
    with parts.studio.engine.begin() as connection:
        spoken = {
            purpose: notices.written_parts(connection, first, purpose, cipher)
            for purpose in (Purpose.PUBLIC, Purpose.WARNING)
        }
        for number in range(1, wanted):
            order = _order(number, now)
            orders.add(connection, order, (_line(number),), parts.keys)
            for purpose, each in spoken.items():
                notices.attach(connection, order, purpose, each, _OFFICERS, cipher)


def _line(number: int) -> Line:
    return Line(number=E164(ordered_line(number)), evidence="a bench: published nowhere")


def _subject(number: int) -> Organisation:
    return Organisation(name=f"Bench {number} Inc.", identifier=read_identifier("ein", f"12-4{number:06d}", "Inc."))


def _order(number: int, now: datetime) -> Order:
    issued = now - _ISSUED_AGO
    draft = Order(
        order_id=new_id("ord"),
        court_id=_COURT,
        district_id=_DISTRICT,
        case_number=f"BENCH-{number:05d}",
        subject=_subject(number),
        authority=_AUTHORITY,
        drafted_by=_OFFICERS.added_by,
        drafted_at=issued,
    )
    return approve(submit(draft, issued), _OFFICERS.approved_by, issued + _VALID, _WARNING, issued)


_DRAFT = OrderDraft(
    court_id=_COURT,
    district_id=_DISTRICT,
    case_number="BENCH-00000",
    subject=_subject(0),
    lines=(_line(0),),
    authority=_AUTHORITY,
    officers=_OFFICERS,
    valid_for=_VALID,
    wanted=Wanted(languages=("en",)),
)
