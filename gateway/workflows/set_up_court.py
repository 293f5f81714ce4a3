"""Add a court, or a district of one, to the register."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine

from gateway.domain.court import Court, District
from gateway.domain.errors import GatewayError
from gateway.register import courts, districts
from gateway.register.errors import UnknownZoneError

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")
_LONGEST_WARNING_DAYS = 60


class InvalidIdError(GatewayError):
    """{shown!r} cannot be an id; write 2 to 64 small letters, digits and hyphens, for example lakeside-north."""

    code = "invalid_id"


class TakenIdError(GatewayError):
    """There is already a {what} {shown!r}; choose another id."""

    code = "taken_id"


class WarningDaysError(GatewayError):
    """A warning period of {days} days is not possible; give 1 to 60."""

    code = "warning_days"


class ForeignParentError(GatewayError):
    """District {parent!r} belongs to court {owner!r}, not to {court!r}; choose a parent of the same court."""

    code = "foreign_parent"


def add_court(engine: Engine, court: Court) -> None:
    """Add a court. Raises InvalidIdError, TakenIdError, UnknownZoneError, WarningDaysError."""
    _demand_id(court.court_id)
    if not 1 <= court.warning_days <= _LONGEST_WARNING_DAYS:
        raise WarningDaysError(days=court.warning_days)
    try:
        ZoneInfo(court.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZoneError(shown=court.zone) from error
    with engine.begin() as connection:
        if court.court_id in courts.ids(connection):
            raise TakenIdError(what="court", shown=court.court_id)
        courts.add(connection, court)


def add_district(engine: Engine, district: District, now: datetime) -> None:
    """Add a district. Raises InvalidIdError, TakenIdError, UnknownEntryError, ForeignParentError."""
    _demand_id(district.district_id)
    with engine.begin() as connection:
        courts.get(connection, district.court_id)
        if district.parent_id is not None:
            parent = districts.get(connection, district.parent_id)
            if parent.court_id != district.court_id:
                raise ForeignParentError(parent=parent.district_id, owner=parent.court_id, court=district.court_id)
        if any(each.district_id == district.district_id for each, _ in districts.tree(connection)):
            raise TakenIdError(what="district", shown=district.district_id)
        districts.add(connection, district, now)


def _demand_id(text: str) -> None:
    if _ID.fullmatch(text) is None:
        raise InvalidIdError(shown=text)
