"""Propose a notice for an order as somebody read it: what changed meanwhile is seen first."""

from gateway.domain.rights import Right
from gateway.register.proposals import Proposal
from gateway.workflows.access import order_for
from gateway.workflows.change import Errand, demand_unclaimed
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Source


def propose_as_read(
    office: Office, order_id: str, language: str, source: Source | None, errand: Errand, *, expected: int | None
) -> Proposal:
    """Propose as `propose_notice` does, unless the order has another version than the asker read, where that is known.

    Raises StaleVersionError beside what `propose_notice` raises: another officer's proposal is not replaced unheard.
    """
    if expected is not None:
        with office.engine.begin() as connection:
            demand_unclaimed(connection, errand)
            order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_DRAFT, expected=expected)
    return propose_notice(office, order_id, language, source, errand)
