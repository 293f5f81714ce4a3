"""Home: what waits for the reader, today's calls, and which districts are silent."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_decimal, gettext
from werkzeug.wrappers import Response as Answer

from gateway.console.chart import Chart, Series, bars
from gateway.console.page import Page, Visit, shown
from gateway.console.waiting_list import waiting_lists
from gateway.console.zones import zone_of
from gateway.domain.plan import Decision
from gateway.domain.rights import Right
from gateway.workflows.count_calls import read_calls
from gateway.workflows.read_case_numbers import read_case_numbers
from gateway.workflows.read_courts import read_courts
from gateway.workflows.read_home import read_home

_HOUR = timedelta(hours=1)
_TO_CALLEES = (Decision.WARNING, Decision.PRIVATE_NOTICE)


def show_home(visit: Visit) -> Answer:
    """Show what waits for the reader, the day's calls, and the districts' states."""
    courts = read_courts(visit.desk.office, visit.errand)
    zone = zone_of(courts.values())
    home = read_home(visit.desk.office, visit.errand)
    disputed = home.disputes.first if home.disputes else ()
    cases = read_case_numbers(visit.desk.office, (each.order_id for each in disputed), visit.errand)
    return shown(
        "home.html",
        lists=waiting_lists(home, cases),
        districts=home.districts,
        switches=not visit.actor.reach(Right.DISTRICTS_SWITCH).is_empty,
        counts_calls=not visit.actor.reach(Right.STATISTICS_READ).is_empty,
        calls=_calls(visit, zone),
        courts=courts,
        zone=zone,
        at=visit.at,
    )


def _calls(visit: Visit, zone: str) -> Chart | None:
    """Return the chart of today's calls by the hour, as the clock in `zone` has it; None where none is to be shown."""
    if visit.actor.reach(Right.STATISTICS_READ).is_empty:
        return None
    since, until = _day_of(visit.at, ZoneInfo(zone))
    hours = tuple(_hours(since, until))
    found: dict[tuple[datetime, Decision], int] = {}
    for each in read_calls(visit.desk.office, since, until, visit.errand):
        found[each.hour, each.outcome] = each.calls
    if not any(found.values()):
        return None
    labels = [_label(hour.astimezone(ZoneInfo(zone))) for hour in hours]
    return bars(
        (
            _series(gettext("Notice to the caller"), found, hours, (Decision.PUBLIC_NOTICE,)),
            _series(gettext("Notice kept for the callee"), found, hours, _TO_CALLEES),
            _series(gettext("Connected without a notice"), found, hours, (Decision.CONNECT, Decision.END)),
        ),
        labels,
        key="calls",
        title=gettext("Calls today, by the hour"),
        description=gettext("A stacked bar for each hour; the table below has the same numbers."),
        write=lambda number: str(format_decimal(number)),
    )


def _day_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the day of an instant begins and ends in a zone, as UTC."""
    local = at.astimezone(zone)
    today = datetime(local.year, local.month, local.day, tzinfo=zone)
    tomorrow = today + timedelta(days=1)
    return today.astimezone(UTC), tomorrow.astimezone(UTC)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the hours of UTC that begin in a period: calls are counted by those, and a zone may be half an hour off."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    hour = hour if hour == since else hour + _HOUR
    while hour < until:
        yield hour
        hour += _HOUR


def _label(local: datetime) -> str:
    return f"{local:%H}" if local.minute == 0 else f"{local:%H:%M}"


def _series(
    name: str,
    found: Mapping[tuple[datetime, Decision], int],
    hours: tuple[datetime, ...],
    outcomes: tuple[Decision, ...],
) -> Series:
    counts = tuple(sum(found.get((hour, outcome), 0) for outcome in outcomes) for hour in hours)
    return Series(name=name, counts=counts)


PAGES = (Page(name="home", path="/", show=show_home),)
