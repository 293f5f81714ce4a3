"""Read orders, their notices, and the court's inbox: everything that the asker may see, and nothing else."""

from dataclasses import dataclass, replace

from gateway.domain.notice import Purpose
from gateway.domain.rights import Right
from gateway.register import disputes, notices, order_list, order_outline, orders, proposals, remarks
from gateway.register.disputes import Dispute, DisputeQuery
from gateway.register.errors import UnknownEntryError
from gateway.register.notices import Part
from gateway.register.order_list import ListedOrder, OrderQuery
from gateway.register.order_outline import OrderOutline
from gateway.register.proposals import Proposal
from gateway.register.remarks import Remark
from gateway.workflows.access import demand_order
from gateway.workflows.change import Errand
from gateway.workflows.office import Office


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenNotices:
    """What is played under an order, by purpose, and what is proposed to be."""

    played: dict[Purpose, tuple[Part, ...]]
    proposed: tuple[Proposal, ...]


def list_orders(office: Office, query: OrderQuery, errand: Errand) -> tuple[ListedOrder, ...]:
    """Return a page of the orders that the asker may read; `query.reach` is set to the asker's."""
    with office.reading.begin() as connection:
        own = replace(query, reach=errand.actor.reach(Right.ORDERS_READ))
        return order_list.listed(connection, own, office.keys, errand.at)


def outline_orders(office: Office, query: OrderQuery, errand: Errand) -> tuple[OrderOutline, ...]:
    """Return a page of the orders that the asker may read as a list shows them; `query.reach` is the asker's."""
    with office.reading.begin() as connection:
        own = replace(query, reach=errand.actor.reach(Right.ORDERS_READ))
        return order_outline.outlined(connection, own, office.keys, errand.at)


def read_order(office: Office, order_id: str, errand: Errand) -> ListedOrder:
    """Return one order. Raises UnknownEntryError."""
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        return order_list.one(connection, order_id, office.keys)


def read_notices(office: Office, order_id: str, errand: Errand) -> SpokenNotices:
    """Return what is played and what is proposed under an order. Raises UnknownEntryError, PurgedOrderError."""
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        order = orders.read(connection, order_id, office.keys)
        played = {
            purpose: notices.written_parts(connection, order, purpose, office.cipher)
            for purpose in (Purpose.PUBLIC, Purpose.WARNING, Purpose.PRIVATE, Purpose.OPENER)
        }
        return SpokenNotices(
            played={purpose: parts for purpose, parts in played.items() if parts},
            proposed=proposals.of_order(connection, order_id, office.keys),
        )


def read_remarks(office: Office, order_id: str, errand: Errand) -> tuple[Remark, ...]:
    """Return what officers wrote about an order, oldest first. Raises UnknownEntryError."""
    with office.reading.begin() as connection:
        demand_order(connection, errand.actor, order_id, Right.ORDERS_READ)
        return remarks.of_order(connection, order_id, office.keys)


def list_disputes(office: Office, query: DisputeQuery, errand: Errand) -> tuple[Dispute, ...]:
    """Return a page of the disputes that the asker may read; `query.reach` is set to the asker's."""
    with office.reading.begin() as connection:
        own = replace(query, reach=errand.actor.reach(Right.DISPUTES_READ))
        return disputes.listed(connection, own, office.keys)


def read_dispute(office: Office, dispute_id: str, errand: Errand) -> Dispute:
    """Return one dispute. Raises UnknownEntryError."""
    with office.reading.begin() as connection:
        dispute = disputes.get(connection, dispute_id, office.keys)
        try:
            demand_order(connection, errand.actor, dispute.order_id, Right.DISPUTES_READ)
        except UnknownEntryError as error:
            raise disputes.unknown(dispute_id) from error
        return dispute
