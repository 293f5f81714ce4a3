"""Lists show what lies within the asker's reach: the condition that holds them to it."""

from sqlalchemy import ColumnElement, false, or_, select, true

from gateway.domain.rights import Reach
from gateway.register.districts import below
from gateway.register.tables import orders


def within(reach: Reach) -> ColumnElement[bool]:
    """Return the condition that an order lies within `reach`."""
    if reach.everywhere:
        return true()
    allowed = []
    if reach.courts:
        allowed.append(orders.c.court_id.in_(reach.courts))
    if reach.districts:
        allowed.append(orders.c.district_id.in_(select(below(reach.districts).c.district_id)))
    return or_(*allowed) if allowed else false()
