"""Tell whether somebody may resolve a dispute, for pages that offer it; `resolve_dispute` judges it again."""

from gateway.domain.rights import Right
from gateway.register import orders
from gateway.register.disputes import Dispute
from gateway.workflows.access import place_of
from gateway.workflows.change import Errand
from gateway.workflows.office import Office


def may_resolve(office: Office, dispute: Dispute, errand: Errand) -> bool:
    """Tell whether the asker may resolve a dispute that was read before, and that nobody has resolved yet."""
    if dispute.resolved_at is not None:
        return False
    with office.reading.connect() as connection:
        place = place_of(connection, *orders.whereabouts(connection, dispute.order_id, lock=False))
    return errand.actor.may(Right.DISPUTES_RESOLVE, place)
