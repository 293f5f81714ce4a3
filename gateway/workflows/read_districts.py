"""Read the tree of districts, what a switch above silences, and who switched what when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from gateway.audit.reading import TrailEntry, TrailQuery, entries
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.domain.court import District
from gateway.domain.order import OrderState
from gateway.domain.rights import Place, Reach, Right
from gateway.register import districts
from gateway.register.order_list import in_state
from gateway.register.reach import within
from gateway.register.tables import orders
from gateway.workflows.access import covers_court, demand_district
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.read_names import read_names

MOST_SWITCHINGS = 200
_EVERYTHING = Reach(everywhere=True, courts=frozenset(), districts=frozenset())
_SWITCHED = (Tag.DISTRICT_SWITCHED_ON.value, Tag.DISTRICT_SWITCHED_OFF.value)

_LAST_SWITCHED = select(trail.c.subject_id, trail.c.actor).where(
    trail.c.seq.in_(
        select(func.max(trail.c.seq))
        .where(trail.c.subject_id.in_(bindparam("district_ids", expanding=True)), trail.c.tag.in_(_SWITCHED))
        .group_by(trail.c.subject_id)
    )
)


class Branch(NamedTuple):
    """A district where it stands in its tree, for pages that let one choose it or name it: `depth` is 0 at the top."""

    district: District
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictNode:
    """A district in its tree: `depth` is 0 at the top, `silenced_by` the nearest district at or above it that is off.

    `in_force` are the orders of the district itself, `in_force_below` those of it and of all below; None for who may
    not count them. `switched_by` is who switched it last, empty where nobody has.
    """

    district: District
    depth: int
    silenced_by: str
    may_switch: bool
    in_force: int | None
    in_force_below: int | None
    switched_by: str
    switched_by_name: str
    read_at: datetime

    @property
    def is_heard(self) -> bool:
        """Tell whether neither the district nor one above it is off."""
        return not self.silenced_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """One turn of a switch; `actor_name` is the id where the asker may not know the name."""

    at: datetime
    actor: str
    actor_name: str
    to_enabled: bool
    reason: str


def read_branches(office: Office, errand: Errand) -> tuple[Branch, ...]:
    """Return the districts of the courts whose districts the asker may read, parents first, in one statement."""
    with office.reading.begin() as connection:
        shown = [district for district in districts.all_of(connection) if _sees(errand, district)]
    depths: dict[str, int] = {}
    for district in shown:
        depths[district.district_id] = depths.get(district.parent_id or "", -1) + 1
    return tuple(Branch(district, depths[district.district_id]) for district in shown)


def read_districts(office: Office, errand: Errand, *, counting: bool = True) -> tuple[DistrictNode, ...]:
    """Return the districts of the courts whose districts the asker may read, parents first.

    A court's tree is shown whole, for a district above is what silences one's own. Orders are counted only where the
    asker may read orders or statistics, and not at all without `counting`.
    """
    with office.reading.begin() as connection:
        shown = [district for district in districts.all_of(connection) if _sees(errand, district)]
        counts = _in_force(connection, errand) if counting else {}
        switched_by = _last_switched_by(connection, [each.district_id for each in shown])
    names = read_names(office, switched_by.values(), errand)
    nodes: dict[str, DistrictNode] = {}
    for district in shown:
        above = nodes.get(district.parent_id or "")
        path = _path(district, nodes)
        may_count = counting and _may_count(errand, Place(court_id=district.court_id, district_path=path))
        number = counts.get(district.district_id, 0) if may_count else None
        by = switched_by.get(district.district_id, "")
        nodes[district.district_id] = DistrictNode(
            district=district,
            depth=above.depth + 1 if above else 0,
            silenced_by=district.district_id if not district.enabled else (above.silenced_by if above else ""),
            may_switch=errand.actor.may(Right.DISTRICTS_SWITCH, Place(court_id=district.court_id, district_path=path)),
            in_force=number,
            in_force_below=number,
            switched_by=by,
            switched_by_name=names.get(by, by),
            read_at=errand.at,
        )
    return _summed(nodes)


def district_history(office: Office, district_id: str, errand: Errand) -> tuple[Switching, ...]:
    """Return who switched a district, when and with which reason, the latest first, at most MOST_SWITCHINGS.

    Raises UnknownEntryError, NotAllowedError.
    """
    with office.reading.begin() as connection:
        demand_district(connection, errand.actor, district_id, Right.COURTS_READ)
        found: list[TrailEntry] = []
        for tag in (Tag.DISTRICT_SWITCHED_ON, Tag.DISTRICT_SWITCHED_OFF):
            # Whoever may read the district may know its history, which is all that is asked of the trail here.
            query = TrailQuery(reach=_EVERYTHING, subject_id=district_id, tag=tag, limit=MOST_SWITCHINGS)
            found.extend(entries(connection, query))
    latest = sorted(found, key=lambda each: each.seq, reverse=True)[:MOST_SWITCHINGS]
    names = read_names(office, {each.actor for each in latest}, errand)
    return tuple(
        Switching(
            at=each.at,
            actor=each.actor,
            actor_name=names[each.actor],
            to_enabled=each.tag == Tag.DISTRICT_SWITCHED_ON.value,
            reason=str(each.details.get("reason", "")),
        )
        for each in latest
    )


def _sees(errand: Errand, district: District) -> bool:
    reading = (grant for grant in errand.actor.grants if grant.right is Right.COURTS_READ)
    return any(covers_court(grant.scope, district.court_id) for grant in reading)


def _path(district: District, nodes: Mapping[str, DistrictNode]) -> tuple[str, ...]:
    """Return a district's id and those of all above it, which were put among the nodes before it."""
    path, above = [district.district_id], nodes.get(district.parent_id or "")
    while above is not None:
        path.append(above.district.district_id)
        above = nodes.get(above.district.parent_id or "")
    return tuple(path)


def _may_count(errand: Errand, place: Place) -> bool:
    return errand.actor.may(Right.STATISTICS_READ, place) or errand.actor.may(Right.ORDERS_READ, place)


def _in_force(connection: Connection, errand: Errand) -> dict[str, int]:
    may = within(errand.actor.reach(Right.STATISTICS_READ)) | within(errand.actor.reach(Right.ORDERS_READ))
    statement = (
        select(orders.c.district_id, func.count())
        .where(in_state(OrderState.IN_FORCE, errand.at), may)
        .group_by(orders.c.district_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _last_switched_by(connection: Connection, ids: list[str]) -> dict[str, str]:
    return {row.subject_id: row.actor for row in connection.execute(_LAST_SWITCHED, {"district_ids": ids})}


def _summed(nodes: Mapping[str, DistrictNode]) -> tuple[DistrictNode, ...]:
    """Add each district's orders to those above it; children come behind their parents, so it goes from the end."""
    sums = {key: node.in_force for key, node in nodes.items()}
    for key in reversed(tuple(nodes)):
        above = nodes[key].district.parent_id
        own, upper = sums[key], sums.get(above or "")
        if above is not None and own is not None and upper is not None:
            sums[above] = upper + own
    return tuple(replace(node, in_force_below=sums[key]) for key, node in nodes.items())
