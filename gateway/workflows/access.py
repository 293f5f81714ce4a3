"""Who may touch what: the place of a thing, and the one rule for what is not yours.

A thing that an actor may not even read is answered as one that does not exist: that another court has an order of some
id is nobody's business.
"""

from typing import assert_never

from sqlalchemy import Connection

from gateway.domain.order import Order
from gateway.domain.rights import Actor, Everywhere, InCourt, InDistrict, Place, Right, Scope
from gateway.privacy.ring import KeyRing
from gateway.register import courts, districts, orders


def place_of(connection: Connection, court_id: str, district_id: str = "") -> Place:
    """Return the place of something in a court, or in one of its districts."""
    path = districts.path(connection, district_id) if district_id else ()
    return Place(court_id=court_id, district_path=path)


def order_for(
    connection: Connection, keys: KeyRing, actor: Actor, order_id: str, right: Right, *, expected: int | None = None
) -> Order:
    """Return an order to which `actor` has `right`, locked against other writers until commit.

    `expected` is the version that the actor decided on. Raises UnknownEntryError, NotAllowedError, StaleVersionError,
    PurgedOrderError.
    """
    demand_order(connection, actor, order_id, right, lock=True)
    order = orders.get(connection, order_id, keys)
    orders.demand_version(order, expected)
    return order


def demand_order(connection: Connection, actor: Actor, order_id: str, right: Right, *, lock: bool = False) -> None:
    """Raise UnknownEntryError or NotAllowedError where `actor` lacks `right` to an order.

    With `lock` the order stays where it is until commit: an edit may move it to a district that is not the actor's.
    """
    court_id, district_id = orders.whereabouts(connection, order_id, lock=lock)
    place = place_of(connection, court_id, district_id)
    if not (actor.may(Right.ORDERS_READ, place) or actor.may(right, place)):
        raise orders.unknown(order_id)
    actor.demand(right, place, where=f"order {order_id}")


def demand_court(connection: Connection, actor: Actor, court_id: str, right: Right) -> None:
    """Raise UnknownEntryError or NotAllowedError where `actor` lacks `right` for a whole court."""
    courts.get(connection, court_id)
    place = Place(court_id=court_id)
    if not sees_court(actor, court_id) and not actor.may(right, place):
        raise courts.unknown(court_id)
    actor.demand(right, place, where=f"court {court_id}")


def demand_district(connection: Connection, actor: Actor, district_id: str, right: Right) -> None:
    """Raise UnknownEntryError or NotAllowedError where `actor` lacks `right` for a district."""
    district = districts.get(connection, district_id)
    if not sees_court(actor, district.court_id):
        raise districts.unknown(district_id)
    place = place_of(connection, district.court_id, district_id)
    actor.demand(right, place, where=f"district {district_id}")


def sees_court(actor: Actor, court_id: str) -> bool:
    """Tell whether a court is any of the actor's business: some grant lies in it."""
    return any(covers_court(grant.scope, court_id) for grant in actor.grants)


def covers_court(scope: Scope, court_id: str) -> bool:
    """Tell whether a scope is the court, contains it, or lies in it."""
    match scope:
        case Everywhere():
            return True
        case InCourt(court_id=own) | InDistrict(court_id=own):
            return own == court_id
        case _:
            assert_never(scope)
