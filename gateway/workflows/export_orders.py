"""Export orders to a file with the columns of an import: what was exported is known when it is imported again."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select

from gateway.audit.tags import Tag
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import NotAllowedError, Reach, Right
from gateway.domain.subject import Organisation, kind_of
from gateway.register import courts, lines
from gateway.register.batches import visible
from gateway.register.lines import Line
from gateway.register.order_list import in_state
from gateway.register.orders import read_order
from gateway.register.reach import within
from gateway.register.tables import orders
from gateway.workflows.access import sees_court
from gateway.workflows.change import Errand, change
from gateway.workflows.import_columns import ABOUT_ORDERS, COLUMNS, guarded
from gateway.workflows.office import Office

_PAGE = 500
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """Which orders to export: of a court or of all within reach, in a state or in any, of a batch or of none."""

    court_id: str = ""
    state: OrderState | None = None
    batch_id: str = ""


def export_orders(office: Office, query: ExportQuery, errand: Errand) -> Iterator[bytes]:
    """Return a CSV file in UTF-8, in chunks, of every order within the asker's reach that was not purged.

    The trail has it before the first chunk goes out. Raises NotAllowedError, UnknownEntryError.
    """
    reach = errand.actor.reach(Right.ORDERS_EXPORT)
    if reach.is_empty:
        raise NotAllowedError(right=Right.ORDERS_EXPORT.value, where="any court")
    wanted = _wanted(query, reach, errand.at)
    with change(office.engine, office.keys, errand) as under_way:
        if query.court_id:
            courts.get(under_way.connection, query.court_id)
            if not sees_court(errand.actor, query.court_id):
                raise courts.unknown(query.court_id)
        count = under_way.connection.execute(select(func.count()).select_from(orders).where(*wanted)).scalar_one()
        under_way.note(
            Tag.ORDERS_EXPORTED,
            query.batch_id or query.court_id or "orders",
            court_id=query.court_id,
            orders=int(count),
            state="" if query.state is None else query.state.value,
        )
    return _chunks(office, wanted, errand.at)


def _wanted(query: ExportQuery, reach: Reach, now: datetime) -> list[ColumnElement[bool]]:
    wanted = [within(reach), visible(), orders.c.purged_at.is_(None)]
    if query.court_id:
        wanted.append(orders.c.court_id == query.court_id)
    if query.batch_id:
        wanted.append(orders.c.batch_id == query.batch_id)
    if query.state is not None:
        wanted.append(in_state(query.state, now))
    return wanted


def _chunks(office: Office, wanted: list[ColumnElement[bool]], now: datetime) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*COLUMNS, *ABOUT_ORDERS])
    yield "\ufeff".encode()
    after = ""
    while True:
        page: Select[*tuple[object, ...]] = select(orders).where(*wanted, orders.c.order_id > after)
        with office.reading.begin() as connection:
            rows = connection.execute(page.order_by(orders.c.order_id).limit(_PAGE)).all()
            on = lines.of_orders(connection, [row.order_id for row in rows], office.cipher)
        for row in rows:
            order = read_order(row, office.cipher)
            writer.writerow(_row(order, tuple(each.line for each in on.get(order.order_id, ())), now))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
        if len(rows) < _PAGE:
            return
        after = rows[-1].order_id


def _row(order: Order, on: tuple[Line, ...], now: datetime) -> list[str]:
    subject = order.subject
    proven = subject.identifier if isinstance(subject, Organisation) else None
    zones = {line.zone for line in on}
    evidence = {line.evidence for line in on}
    zone = next(iter(zones)) if len(zones) == 1 else ""
    values = {
        "case_number": order.case_number,
        "district": order.district_id,
        "subject_kind": kind_of(subject).value,
        "name": subject.name,
        "identifier": f"{proven.scheme.value}:{proven.value}" if proven else "",
        "legal_form": proven.legal_form if proven else "",
        "lines": ";".join(line.number.number if line.zone == zone else f"{line.number}@{line.zone}" for line in on),
        "zone": zone,
        "line_evidence": next(iter(evidence)) if len(evidence) == 1 else " || ".join(line.evidence for line in on),
        "legal_basis": order.authority.legal_basis,
        "languages": " ".join(order.languages),
        "valid_days": "" if order.valid_for is None else f"{order.valid_for / _DAY:.12g}",
        "document_sha256": order.authority.document_sha256,
    }
    about = {
        "order_id": order.order_id,
        "court": order.court_id,
        "batch": order.batch_id or "",
        "state": order.state_at(now).value,
        **{name: _instant(getattr(order, name)) for name in ABOUT_ORDERS if name.endswith(("_at", "_from", "_until"))},
    }
    return [*(guarded(name, values[name]) for name in COLUMNS), *(about[name] for name in ABOUT_ORDERS)]


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat(timespec="seconds")
