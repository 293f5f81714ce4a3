"""The places that a reader knows, by name: everywhere, courts, and their districts; for roles and for API keys."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext

from gateway.console.page import Visit
from gateway.console.zones import zone_of
from gateway.domain.rights import Actor, Everywhere, InCourt, InDistrict, Place, Right, Scope
from gateway.people.roles import place_text
from gateway.register.errors import UnknownEntryError
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_districts import read_branches

# No id of a court holds it, and an empty value in a form means that nothing was chosen.
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A place that the reader knows: its scope, what it is called, and where it lies (None for everywhere)."""

    scope: Scope
    name: str
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places that a reader knows, by their values in a form; `zone` is the time zone of their courts."""

    known: Mapping[str, Known]
    zone: str

    def name_of(self, scope: Scope) -> str:
        """Return what a place is called; of one that is none of the reader's business, only that it is."""
        found = self.known.get(value_of(scope))
        return found.name if found else str(gettext("Outside of what you may see"))

    def choices(self, actor: Actor, right: Right) -> list[tuple[str, str]]:
        """Return the places to choose from: those for which the reader has a right. None is chosen unasked."""
        may = [(value, each.name) for value, each in self.known.items() if actor.may(right, each.place)]
        return [("", str(gettext("Choose a place"))), *may]

    def covers(self, actor: Actor, right: Right, scope: Scope) -> bool:
        """Tell whether to offer the reader something that takes a right to a place; the workflow judges."""
        found = self.known.get(value_of(scope))
        return found is not None and actor.may(right, found.place)

    def scope_of(self, value: str) -> Scope:
        """Return the place that a form's value names. Raises UnknownEntryError."""
        if value not in self.known:
            raise UnknownEntryError(what="place", shown=value, cure="the form lists those that there are")
        return self.known[value].scope


def places_of(visit: Visit) -> Places:
    """Return the places that the reader knows, courts in the order of their ids, districts below their courts."""
    courts = read_courts(visit.desk.office, visit.errand)
    known = {EVERYWHERE: Known(scope=Everywhere(), name=str(gettext("Everywhere")), place=None)}
    below = _districts(visit)
    for court in courts.values():
        scope = InCourt(court_id=court.court_id)
        known[court.court_id] = Known(scope=scope, name=court.name, place=Place(court_id=court.court_id))
        for place, name in below.get(court.court_id, ()):
            district = InDistrict(court_id=court.court_id, district_id=place.district_path[0])
            known[value_of(district)] = Known(scope=district, name=f"{court.name}: {name}", place=place)
    return Places(known=known, zone=zone_of(courts.values()))


def value_of(scope: Scope) -> str:
    """Return a place as a form's value: `*`, `court`, or `court/district`."""
    return place_text(scope) or EVERYWHERE


def _districts(visit: Visit) -> dict[str, list[tuple[Place, str]]]:
    """Return the districts of each court with their paths, each below the one that it belongs to."""
    found: dict[str, list[tuple[Place, str]]] = {}
    paths: dict[str, tuple[str, ...]] = {}
    for node in read_branches(visit.desk.office, visit.errand):
        district = node.district
        path = (district.district_id, *paths.get(district.parent_id or "", ()))
        paths[district.district_id] = path
        place = Place(court_id=district.court_id, district_path=path)
        found.setdefault(district.court_id, []).append((place, district.name))
    return found
