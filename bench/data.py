"""The data folder that is measured: the demo with a voice that hums, and thousands of organisations under orders."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from gateway.assembly import Parts, prepare
from gateway.audio.library import Library
from gateway.audio.wording import Wording
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.notice import Purpose
from gateway.domain.order import Authority, Order, approve, submit
from gateway.domain.subject import Organisation
from gateway.privacy.field import FieldCipher
from gateway.register import notices, orders
from gateway.register.identifiers import read_identifier
from gateway.register.notices import Officers, Part
from gateway.register.orders import Line
from gateway.register.tables import orders as orders_table
from gateway.settings import Settings
from gateway.workflows.load_demo import load_demo
from gateway.workflows.publish_notice import Studio
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
    return Settings(data_dir=folder, public_origin=ORIGIN)


def make_data(folder: Path, orders_wanted: int) -> None:
    """Load the demo into an empty folder, then put `orders_wanted` orders in force beside it."""
    now = utc_now()
    settings = settings_for(folder)
    parts = prepare(settings)
    settings.demo_mark.write_text("demo", encoding="utf-8")
    for _ in load_demo(_studio(parts), now):
        pass
    with parts.studio.engine.begin() as connection:
        _add_orders(connection, parts, orders_wanted, now)
    parts.close()


def _studio(parts: Parts) -> Studio:
    return Studio(
        engine=parts.studio.engine,
        keys=parts.keys,
        library=Library(parts.settings.renditions_dir),
        synthesizer=HummingSynthesizer(),
        wording=Wording(parts.settings.prompts_dir),
    )


def _add_orders(connection: Connection, parts: Parts, wanted: int, now: datetime) -> None:
    """Add orders through the register's own functions, each with the notices of one that the demo has."""
    cipher = FieldCipher(parts.keys)
    spoken = _notices_of_a_demo_order(connection, parts, cipher)
    for number in range(wanted):
        order = _order(number, now)
        orders.add(connection, order, (Line(number=E164(ordered_line(number))),), parts.keys)
        for purpose, each in spoken.items():
            notices.attach(connection, order, purpose, each, _OFFICERS, cipher)


def _notices_of_a_demo_order(
    connection: Connection, parts: Parts, cipher: FieldCipher
) -> dict[Purpose, tuple[Part, ...]]:
    of_organisations = select(orders_table.c.order_id).where(
        orders_table.c.district_id == _DISTRICT, orders_table.c.subject_kind == "organisation"
    )
    order_id = connection.execute(of_organisations.limit(1)).scalar_one()
    order = orders.get(connection, order_id, parts.keys)
    return {
        purpose: notices.written_parts(connection, order, purpose, cipher)
        for purpose in (Purpose.PUBLIC, Purpose.WARNING)
    }


def _order(number: int, now: datetime) -> Order:
    issued = now - _ISSUED_AGO
    draft = Order(
        order_id=orders.new_id("ord"),
        court_id=_COURT,
        district_id=_DISTRICT,
        case_number=f"BENCH-{number:05d}",
        subject=Organisation(name=f"Bench {number} Inc.", identifier=read_identifier("ein", f"12-4{number:06d}")),
        authority=_AUTHORITY,
        drafted_by=_OFFICERS.added_by,
        drafted_at=issued,
    )
    return approve(submit(draft, issued), _OFFICERS.approved_by, issued + _VALID, _WARNING, issued)
