"""Add a court, or a district of one, to the register."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from gateway.audit.tags import Tag
from gateway.domain.court import Court, District
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.domain.rights import Right
from gateway.privacy.ring import KeyRing
from gateway.register import courts, districts
from gateway.register.errors import UnknownZoneError
from gateway.workflows.access import demand_court
from gateway.workflows.change import Errand, change

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


def add_court(engine: Engine, keys: KeyRing, court: Court, errand: Errand) -> None:
    """Add a court. Raises InvalidIdError, TakenIdError, UnknownZoneError, WarningDaysError, NotAllowedError."""
    errand.actor.demand(Right.COURTS_MANAGE, None, where="the gateway as a whole")
    _demand_id(court.court_id)
    _demand_sound(court)
    with change(engine, keys, errand) as under_way:
        try:
            with under_way.connection.begin_nested():
                courts.add(under_way.connection, court)
        except IntegrityError as error:
            raise TakenIdError(what="court", shown=court.court_id) from error
        under_way.note(Tag.COURT_ADDED, court.court_id, court_id=court.court_id, **_shown(court))


def change_court(engine: Engine, keys: KeyRing, court: Court, errand: Errand, *, expected: int) -> Court:
    """Give a court another name, zone, warning period or caps, and return it with its next version.

    Raises UnknownEntryError, NotAllowedError, StaleVersionError, UnknownZoneError, WarningDaysError.
    """
    _demand_sound(court)
    with change(engine, keys, errand) as under_way:
        connection = under_way.connection
        demand_court(connection, errand.actor, court.court_id, Right.COURTS_MANAGE)
        if courts.get(connection, court.court_id, lock=True).version != expected:
            raise StaleVersionError(what=f"Court {court.court_id}")
        saved = courts.save(connection, court, expected + 1)
        under_way.note(Tag.COURT_CHANGED, court.court_id, court_id=court.court_id, **_shown(court))
    return saved


def _shown(court: Court) -> dict[str, str | int]:
    caps = court.caps
    return {
        "zone": court.zone,
        "warning_days": court.warning_days,
        "openers_per_day": caps.openers_per_day,
        "contents_per_day": caps.contents_per_day,
        "contents_per_30_days": caps.contents_per_30_days,
        "earliest": f"{caps.earliest:%H:%M}",
        "latest": f"{caps.latest:%H:%M}",
    }


def _demand_sound(court: Court) -> None:
    if not 1 <= court.warning_days <= _LONGEST_WARNING_DAYS:
        raise WarningDaysError(days=court.warning_days)
    try:
        ZoneInfo(court.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZoneError(shown=court.zone) from error


def add_district(engine: Engine, keys: KeyRing, district: District, errand: Errand) -> None:
    """Add a district. Raises InvalidIdError, TakenIdError, UnknownEntryError, ForeignParentError, NotAllowedError."""
    _demand_id(district.district_id)
    with change(engine, keys, errand) as under_way:
        connection = under_way.connection
        demand_court(connection, errand.actor, district.court_id, Right.COURTS_MANAGE)
        if district.parent_id is not None:
            parent = districts.get(connection, district.parent_id)
            if parent.court_id != district.court_id:
                raise ForeignParentError(parent=parent.district_id, owner=parent.court_id, court=district.court_id)
        try:
            with connection.begin_nested():
                districts.add(connection, district, errand.at)
        except IntegrityError as error:
            raise TakenIdError(what="district", shown=district.district_id) from error
        under_way.note(
            Tag.DISTRICT_ADDED, district.district_id, court_id=district.court_id, parent=district.parent_id or ""
        )


def _demand_id(text: str) -> None:
    if _ID.fullmatch(text) is None:
        raise InvalidIdError(shown=text)
