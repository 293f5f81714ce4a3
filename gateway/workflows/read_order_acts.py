"""Read what somebody may do to an order as it stands: for pages, which offer nothing that would be refused.

This only foretells; the workflow that does it judges again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, select

from gateway.domain.errors import GatewayError
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Reach, Right
from gateway.register import documents, orders, proposals
from gateway.register.districts import below
from gateway.register.documents import Document
from gateway.register.order_outline import OrderOutline
from gateway.register.tables import documents as document_rows
from gateway.register.tables import orders as order_rows
from gateway.workflows.access import demand_order, place_of
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import purposes_for
from gateway.workflows.second_officer import demand_officer, demand_second, demand_second_hearing

MOST_DOCUMENTS = 20


class OrderAct(Enum):
    """What officers do to an order."""

    EDIT = "edit"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    LIFT = "lift"


_BEGUN = frozenset({OrderAct.SUSPEND, OrderAct.EXTEND, OrderAct.LIFT})
_IN_STATE: Mapping[OrderState, frozenset[OrderAct]] = {
    OrderState.DRAFT: frozenset({OrderAct.EDIT, OrderAct.SUBMIT, OrderAct.LIFT}),
    OrderState.SUBMITTED: frozenset({OrderAct.RETURN, OrderAct.APPROVE, OrderAct.LIFT}),
    OrderState.APPROVED: _BEGUN,
    OrderState.WARNED: _BEGUN,
    OrderState.IN_FORCE: _BEGUN,
    OrderState.SUSPENDED: frozenset({OrderAct.RESUME, OrderAct.EXTEND, OrderAct.LIFT}),
    OrderState.LIFTED: frozenset(),
    OrderState.EXPIRED: frozenset({OrderAct.LIFT}),
}
_TAKES: Mapping[OrderAct, Right] = {
    OrderAct.EDIT: Right.ORDERS_DRAFT,
    OrderAct.SUBMIT: Right.ORDERS_DRAFT,
    OrderAct.RETURN: Right.ORDERS_APPROVE,
    OrderAct.APPROVE: Right.ORDERS_APPROVE,
    OrderAct.SUSPEND: Right.ORDERS_END,
    OrderAct.RESUME: Right.ORDERS_APPROVE,
    OrderAct.EXTEND: Right.ORDERS_APPROVE,
    OrderAct.LIFT: Right.ORDERS_END,
}
_TAKES_A_SECOND = frozenset({OrderAct.APPROVE, OrderAct.RESUME, OrderAct.EXTEND})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderActs:
    """What the asker may do to an order now.

    `refused` are acts that the asker has the right to and that the order's state allows, which still take somebody
    else: the second officer; with each the refusal that there would be.
    """

    may: frozenset[OrderAct]
    refused: Mapping[OrderAct, GatewayError]


def read_order_acts(office: Office, order_id: str, errand: Errand) -> OrderActs:
    """Return what the asker may do to an order. Raises UnknownEntryError, PurgedOrderError."""
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        order = orders.read(connection, order_id, office.keys)
        place = place_of(connection, order.court_id, order.district_id)
        allowed = {act for act in _IN_STATE[order.state_at(errand.at)] if errand.actor.may(_TAKES[act], place)}
        refused: dict[OrderAct, GatewayError] = {}
        for act in allowed & _TAKES_A_SECOND:
            try:
                _demand_other(connection, office, order, act, errand)
            except GatewayError as refusal:
                refused[act] = refusal
    return OrderActs(may=frozenset(allowed - refused.keys()), refused=refused)


def _demand_other(connection: Connection, office: Office, order: Order, act: OrderAct, errand: Errand) -> None:
    demand_officer(errand)
    demand_second(connection, office.keys, order, errand.actor.actor_id)
    if act is OrderAct.APPROVE:
        content = purposes_for(order.subject)[0]
        for each in proposals.of_order(connection, order.order_id, office.keys):
            if each.purpose is content:
                demand_second_hearing(connection, office.keys, each, errand.actor.actor_id)


def liftable(office: Office, outlined: Iterable[OrderOutline], errand: Errand) -> frozenset[str]:
    """Return the ids of those listed orders that the asker may lift: at most one statement for a whole list."""
    reach = errand.actor.reach(Right.ORDERS_END)
    living = [each for each in outlined if not each.is_purged and OrderAct.LIFT in _IN_STATE[each.state]]
    if reach.is_empty or not living:
        return frozenset()
    reached = _districts_below(office, reach)
    return frozenset(
        order.order_id
        for order in living
        if reach.everywhere or order.court_id in reach.courts or order.district_id in reached
    )


def _districts_below(office: Office, reach: Reach) -> frozenset[str]:
    if reach.everywhere or not reach.districts:
        return frozenset()
    with office.reading.connect() as connection:
        return frozenset(connection.execute(select(below(reach.districts).c.district_id)).scalars())


def read_authority_document(office: Office, order_id: str, errand: Errand) -> Document | None:
    """Return the authority document of an order; None where it is not on file. Raises UnknownEntryError."""
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        order = orders.read(connection, order_id, office.keys)
        return documents.find(connection, order.court_id, order.authority.document_sha256)


def read_kept_document(office: Office, order_id: str, document_id: str, errand: Errand) -> Document:
    """Return a document of an order's court that the asker uploaded, or may read. Raises UnknownEntryError.

    What an officer of one district uploads is nobody's yet: it is within their reach once an order rests on it.
    """
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        court_id, _district_id = orders.whereabouts(connection, order_id)
        document = documents.get(connection, document_id)
        is_own = document.uploaded_by == errand.actor.actor_id
        reach = errand.actor.reach(Right.ORDERS_READ)
        if document.court_id != court_id or not (is_own or documents.is_reached(connection, document, reach)):
            raise documents.unknown(document_id)
        return document


def documents_to_extend_on(office: Office, order_id: str, errand: Errand) -> tuple[Document, ...]:
    """Return the court's newest documents that no order rests on yet and that somebody else uploaded.

    At most MOST_DOCUMENTS, newest first, and only those that the asker may read. Raises UnknownEntryError.
    """
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_APPROVE)
        court_id, _district_id = orders.whereabouts(connection, order_id)
        row = document_rows.c
        used = select(order_rows.c.order_id).where(
            order_rows.c.court_id == row.court_id, order_rows.c.document_sha256 == row.sha256
        )
        newest = (
            select(row.document_id)
            .where(row.court_id == court_id, row.purged_at.is_(None), row.uploaded_by != errand.actor.actor_id)
            .where(~used.exists())
            .order_by(row.uploaded_at.desc(), row.document_id.desc())
            .limit(MOST_DOCUMENTS)
        )
        found = [documents.get(connection, each) for each in connection.execute(newest).scalars().all()]
        reach = errand.actor.reach(Right.ORDERS_READ)
        return tuple(each for each in found if documents.is_reached(connection, each, reach))
