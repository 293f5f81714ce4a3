"""Turn the own words of an imported order into proposals: what a file could only say is rendered, to be approved."""

from gateway.domain.rights import Right
from gateway.register import orders, own_words, proposals
from gateway.register.proposals import Proposal
from gateway.workflows.access import order_for
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import Text, purposes_for, render


def propose_own_words(office: Office, order_id: str, errand: Errand, *, expected: int | None = None) -> int | None:
    """Render an order's own words and propose them in the drafter's name; where it has none, nothing happens.

    Returns the version to go on from: `expected`, or the new one that has the proposals. A proposal that somebody made
    since the import is the later word, and stays. Raises UnknownEntryError, NotAllowedError, StaleVersionError, and
    what is wrong with a text.
    """
    with office.engine.begin() as connection:
        words = own_words.of_order(connection, order_id, office.keys)
        if not words:
            return expected
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=expected)
    parts = [render(office.studio, Text(text=text), language) for language, text in words.items()]
    with office.engine.begin() as connection:
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=order.version)
        present = {each.language for each in proposals.of_order(connection, order_id, office.keys)}
        for part in parts:
            if part.rendition.language not in present:
                made = Proposal(
                    order_id=order_id,
                    purpose=purposes_for(order.subject)[0],
                    part=part,
                    added_by=order.drafted_by,
                    added_at=errand.at,
                )
                proposals.put(connection, made, office.keys)
        own_words.remove(connection, order_id)
        return orders.save(connection, order).version
