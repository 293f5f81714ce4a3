"""Where a reader may draft: courts and their districts, each with the way down to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.console.page import Visit
from gateway.domain.rights import Place, Right
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_districts import read_branches


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftingPlace:
    """A district with its court: what both are called, and the court's time zone."""

    court_id: str
    district_id: str
    court_name: str
    district_name: str
    zone: str
    may_draft: bool

    @property
    def name(self) -> str:
        """Return what the place is called."""
        return f"{self.court_name}: {self.district_name}"


def read_places(visit: Visit) -> Mapping[str, DraftingPlace]:
    """Return every district that the reader may see, by its id; whether drafts may be made there is said of each."""
    courts = read_courts(visit.desk.office, visit.errand)
    paths: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    found: dict[str, DraftingPlace] = {}
    for node in read_branches(visit.desk.office, visit.errand):
        district = node.district
        above, court = district.parent_id or "", courts.get(district.court_id)
        paths[district.district_id] = (district.district_id, *paths.get(above, ()))
        names[district.district_id] = f"{names[above]} › {district.name}" if above in names else district.name  # noqa: RUF001  (a sign for the way down)
        place = Place(court_id=district.court_id, district_path=paths[district.district_id])
        found[district.district_id] = DraftingPlace(
            court_id=district.court_id,
            district_id=district.district_id,
            court_name=court.name if court else district.court_id,
            district_name=names[district.district_id],
            zone=court.zone if court else "UTC",
            may_draft=visit.actor.may(Right.ORDERS_DRAFT, place),
        )
    return found
