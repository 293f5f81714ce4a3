"""Statistics of a court or district: orders by state, plays by day and purpose, keys pressed, disputes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Connection, func, select, type_coerce

from gateway.audit.tables import plays
from gateway.domain.errors import GatewayError
from gateway.domain.order import OrderState
from gateway.domain.rights import NotAllowedError, Right
from gateway.register import courts
from gateway.register.batches import visible
from gateway.register.districts import below
from gateway.register.order_list import in_state
from gateway.register.reach import within
from gateway.register.tables import disputes, orders
from gateway.workflows.access import covers_court, demand_district, sees_court
from gateway.workflows.change import Errand
from gateway.workflows.draft_order import demand_own_district
from gateway.workflows.office import Office

LONGEST = timedelta(days=366)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER = timedelta(minutes=15)


class PeriodError(GatewayError):
    """The period from {since} to {until} cannot be counted: give an end after its beginning, at most 366 days later."""

    code = "period"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsQuery:
    """What to count: a court, one of its districts with all below it or all of them, and which days of the court's."""

    court_id: str
    district_id: str = ""
    since: date
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfPlays:
    """How many notices of one purpose were played on one day of the court's."""

    day: date
    purpose: str
    plays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Counts; `orders` are those of now, everything else is of the period, whose last day is included."""

    orders: Mapping[str, int]
    days: tuple[DayOfPlays, ...]
    keys: Mapping[str, int]
    disputes_opened: Mapping[str, int]
    disputes_open: int


def count(office: Office, query: StatisticsQuery, errand: Errand) -> Statistics:
    """Count. Raises PeriodError, UnknownEntryError, NotAllowedError."""
    if not timedelta(0) <= query.until - query.since <= LONGEST:
        raise PeriodError(since=query.since, until=query.until)
    with office.reading.begin() as connection:
        zone = ZoneInfo(courts.get(connection, query.court_id).zone)
        _demand_counting(connection, query, errand)
        here = _here(query, errand)
        begin, end = _midnight(query.since, zone), _midnight(query.until + timedelta(days=1), zone)
        played = (plays.c.played_at >= begin, plays.c.played_at < end)
        return Statistics(
            orders=_orders(connection, here, errand.at),
            days=_days(connection, [*here, *played], zone),
            keys=_keys(connection, [*here, *played]),
            disputes_opened=_opened(connection, [*here, disputes.c.opened_at >= begin, disputes.c.opened_at < end]),
            disputes_open=_open(connection, here),
        )


def _demand_counting(connection: Connection, query: StatisticsQuery, errand: Errand) -> None:
    """Let whoever may count anywhere in the court count that much of it."""
    if not sees_court(errand.actor, query.court_id):
        raise courts.unknown(query.court_id)
    counting = [grant for grant in errand.actor.grants if grant.right is Right.STATISTICS_READ]
    if not any(covers_court(grant.scope, query.court_id) for grant in counting):
        raise NotAllowedError(right=Right.STATISTICS_READ.value, where=f"court {query.court_id}")
    if query.district_id:
        demand_district(connection, errand.actor, query.district_id, Right.STATISTICS_READ)
        demand_own_district(connection, query.court_id, query.district_id)


def _here(query: StatisticsQuery, errand: Errand) -> list[ColumnElement[bool]]:
    here = [visible(), within(errand.actor.reach(Right.STATISTICS_READ)), orders.c.court_id == query.court_id]
    if query.district_id:
        reached = below(frozenset({query.district_id}))
        here.append(orders.c.district_id.in_(select(reached.c.district_id)))
    return here


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _orders(connection: Connection, here: list[ColumnElement[bool]], now: datetime) -> dict[str, int]:
    return {
        state.value: connection.execute(
            select(func.count()).select_from(orders).where(*here, in_state(state, now))
        ).scalar()
        or 0
        for state in OrderState
    }


def _days(connection: Connection, here: list[ColumnElement[bool]], zone: ZoneInfo) -> tuple[DayOfPlays, ...]:
    """Count by the court's days: quarters of an hour are counted in the database and put into days here.

    No zone's midnight, summer time or not, falls between two quarters of an hour of UTC; in India it falls on a half.
    """
    # Instants are stored in microseconds.
    quarter = (type_coerce(plays.c.played_at, BigInteger) // (_QUARTER // timedelta(microseconds=1))).label("quarter")
    rows = connection.execute(
        select(quarter, plays.c.purpose, func.count())
        .join(orders, orders.c.order_id == plays.c.order_id)
        .where(*here)
        .group_by(quarter, plays.c.purpose)
    )
    found: dict[tuple[date, str], int] = {}
    for quarters, purpose, number in rows:
        day = (_EPOCH + int(quarters) * _QUARTER).astimezone(zone).date()
        found[day, purpose] = found.get((day, purpose), 0) + number
    return tuple(DayOfPlays(day=day, purpose=purpose, plays=number) for (day, purpose), number in sorted(found.items()))


def _keys(connection: Connection, here: list[ColumnElement[bool]]) -> dict[str, int]:
    rows = connection.execute(
        select(plays.c.key, func.count())
        .join(orders, orders.c.order_id == plays.c.order_id)
        .where(*here, plays.c.key.is_not(None))
        .group_by(plays.c.key)
        .order_by(plays.c.key)
    )
    return {row[0]: row[1] for row in rows}


def _opened(connection: Connection, here: list[ColumnElement[bool]]) -> dict[str, int]:
    rows = connection.execute(
        select(disputes.c.ground, func.count())
        .join(orders, orders.c.order_id == disputes.c.order_id)
        .where(*here)
        .group_by(disputes.c.ground)
    )
    return {row[0]: row[1] for row in rows}


def _open(connection: Connection, here: list[ColumnElement[bool]]) -> int:
    statement = (
        select(func.count())
        .select_from(disputes.join(orders, orders.c.order_id == disputes.c.order_id))
        .where(*here, disputes.c.resolved_at.is_(None))
    )
    return connection.execute(statement).scalar() or 0
