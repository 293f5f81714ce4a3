"""The register that is measured: the demo's courts, and thousands of organisations under orders.

One notice is made, with a voice that hums, and all orders have it: what is measured never opens a recording.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import func, select

from gateway.assembly import Parts, prepare, put_together
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.notice import Purpose
from gateway.domain.order import Authority, Order, approve, submit
from gateway.domain.subject import Organisation
from gateway.privacy.field import FieldCipher
from gateway.register import courts, districts, installation, load, notices
from gateway.register.identifiers import read_identifier
from gateway.register.ids import new_id
from gateway.register.lines import Line
from gateway.register.notices import Officers, Part
from gateway.register.tables import notices as notice_table
from gateway.settings import Settings
from gateway.settings import load as load_settings
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_order import OrderDraft, issue_order
from gateway.workflows.load_demo import COURTS, DISTRICTS
from gateway.workflows.publish_notice import Wanted
from tests.fakes import HummingSynthesizer
from tests.postgres import Postgres

ORIGIN = "https://gateway.example.org"
_COURT, _DISTRICT = "lakeside", "lakeside-north"
_OFFICERS = Officers(added_by="bench.clerk", approved_by="bench.judge")
_AUTHORITY = Authority(legal_basis="Bench only: no law, no court, no debt.", document_sha256="0" * 64)
Row = dict[str, object]
_REST_SECONDS = 0.05
_ISSUED_AGO, _WARNING, _VALID = timedelta(days=4), timedelta(days=3), timedelta(days=90)


def ordered_line(number: int) -> str:
    """Return the n-th line under an order, of 10,000 in the block 03 7010 0000 that is reserved for fiction (ACMA)."""
    return f"+6137010{number:04d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A data folder and its database, SQLite where no URL is given; `orders` lines are under an order in force."""

    folder: Path
    orders: int
    database_url: str = ""

    @property
    def settings(self) -> Settings:
        """Return the settings of the gateway that serves it."""
        return settings_for(self.folder, self.database_url)

    @property
    def name(self) -> str:
        """Return what its database is called."""
        return "PostgreSQL" if self.database_url else "SQLite"

    def copied(self, folder: Path, server: Postgres) -> "Register":
        """Copy it into a new folder and, on PostgreSQL, a new database; whoever is connected to this one is cut off."""
        shutil.copytree(self.folder, folder)
        if not self.database_url:
            return replace(self, folder=folder)
        end_connections(server, self.database_url)
        name = server.create(template=self.database_url.rpartition("/")[2])
        return replace(self, folder=folder, database_url=server.url(name))

    def plays(self) -> int:
        """Return how many plays are recorded."""
        parts = put_together(self.settings)
        try:
            with parts.reading.connect() as connection:
                return connection.execute(select(func.count()).select_from(plays)).scalar_one()
        finally:
            parts.close()


def end_connections(server: Postgres, database_url: str) -> None:
    """End every connection to a database, and wait until they are gone."""
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND backend_type = %s"
    whose = (database_url.rpartition("/")[2], "client backend")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        while connection.execute(ending, whose).fetchall():
            time.sleep(_REST_SECONDS)


def settings_for(folder: Path, database_url: str = "") -> Settings:
    """Return the settings of the gateway that is measured."""
    # What the environment of the person who runs the bench may set is not measured.
    return load_settings(
        data_dir=folder, public_origin=ORIGIN, database_url=database_url, master_key=None, twilio_auth_token=None
    )


def make_data(folder: Path, orders_wanted: int, database_url: str = "") -> Register:
    """Make the demo's courts in an empty folder, and put `orders_wanted` publication orders in force."""
    now = utc_now()
    settings = settings_for(folder, database_url)
    parts = prepare(settings)
    settings.demo_mark.write_text("demo", encoding="utf-8")
    with parts.studio.engine.begin() as connection:
        for court in COURTS:
            courts.add(connection, court)
        for district in DISTRICTS:
            districts.add(connection, district, now)
    _add_orders(parts, orders_wanted, now)
    parts.close()
    return Register(folder=folder, orders=orders_wanted, database_url=database_url)


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
        others = [_order(number, now) for number in range(1, wanted)]
        loaded = (
            load.load_of(number, order, (_line(number),), {}, cipher, parts.keys)
            for number, order in enumerate(others, start=1)
        )
        load.write(connection, load.Portion.of(loaded))
        rows = [row for order in others for row in _notices_of(order, spoken, cipher)]
        if rows:
            connection.execute(notice_table.insert(), rows)
        installation.announce(connection)


def _notices_of(order: Order, spoken: Mapping[Purpose, Sequence[Part]], cipher: FieldCipher) -> Iterator[Row]:
    """Yield the rows that `notices.attach` writes one by one."""
    for purpose, parts in spoken.items():
        for position, part in enumerate(parts):
            place = f"notices.text:{order.order_id}:{purpose.value}:{position}"
            yield {
                "order_id": order.order_id,
                "purpose": purpose.value,
                "position": position,
                "subject_kind": "organisation",
                "leg": "A" if purpose is Purpose.PUBLIC else "B",
                "text": cipher.encrypt(part.text, place=place) if part.text else None,
                "rendition_id": part.rendition_id,
                "added_by": _OFFICERS.added_by,
                "approved_by": _OFFICERS.approved_by,
            }


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
