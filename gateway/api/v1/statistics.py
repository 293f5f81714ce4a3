"""`/courts/{id}/statistics`: counts of a court, or of one of its districts; they name nobody."""

from datetime import date

from gateway.api.v1.fields import Id, Input, Output
from gateway.api.v1.route import Answer, Call, Route
from gateway.workflows.count_orders import StatisticsQuery, count

_TAG = "Statistics"


class StatisticsIn(Input):
    """What to count: which days of the court's, the last one included, and which district with all below it."""

    since: date
    until: date
    district: Id | None = None


class DayOut(Output):
    """How many notices of one purpose were played on one day."""

    day: date
    purpose: str
    plays: int


class StatisticsOut(Output):
    """Counts; `orders` are those of now, everything else is of the period."""

    orders: dict[str, int]
    days: list[DayOut]
    keys: dict[str, int]
    disputes_opened: dict[str, int]
    disputes_open: int


def get_statistics(call: Call, court_id: str, query: StatisticsIn) -> Answer:
    """Count the orders, plays, keys pressed and disputes of a court or district."""
    wanted = StatisticsQuery(court_id=court_id, district_id=query.district or "", since=query.since, until=query.until)
    found = count(call.desk.office, wanted, call.errand)
    return Answer(
        model=StatisticsOut(
            orders=dict(found.orders),
            days=[DayOut(day=each.day, purpose=each.purpose, plays=each.plays) for each in found.days],
            keys=dict(found.keys),
            disputes_opened=dict(found.disputes_opened),
            disputes_open=found.disputes_open,
        )
    )


ROUTES = (
    Route(
        name="show_statistics",
        method="GET",
        path="/courts/<id:court_id>/statistics",
        handler=get_statistics,
        tag=_TAG,
        answer=StatisticsOut,
        query=StatisticsIn,
    ),
)
