"""Foresee what turning a district's switch will do: which districts, and how many orders in force, it concerns."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.workflows.read_districts import DistrictNode


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchEffect:
    """What falls silent, or is heard again, when a switch is turned to `to_enabled`.

    `districts` counts the district itself too where it changes; `in_force` is None for who may not count all of them.
    `silenced_by` is the district above that keeps it silent whichever way it is turned, empty where there is none.
    """

    to_enabled: bool
    districts: int
    in_force: int | None
    silenced_by: str


def foresee_switch(nodes: Iterable[DistrictNode], district_id: str, *, to_enabled: bool) -> SwitchEffect:
    """Return what a turn of the switch changes; `nodes` are the districts as `read_districts` gives them."""
    silenced_by = ""
    heard: dict[str, bool] = {}
    changed: list[DistrictNode] = []
    by_id: dict[str, DistrictNode] = {}
    for node in nodes:
        its, above = node.district, node.district.parent_id or ""
        by_id[its.district_id] = node
        if its.district_id == district_id:
            upper = by_id.get(above)
            silenced_by = upper.silenced_by if upper is not None else ""
            heard[district_id] = to_enabled and not silenced_by
        elif above in heard:
            heard[its.district_id] = its.enabled and heard[above]
        else:
            continue
        if heard[its.district_id] is not node.is_heard:
            changed.append(node)
    counts = [node.in_force for node in changed]
    known = [count for count in counts if count is not None]
    return SwitchEffect(
        to_enabled=to_enabled,
        districts=len(changed),
        in_force=sum(known) if len(known) == len(counts) else None,
        silenced_by=silenced_by,
    )
