"""The rows of the list of orders, as the page has them: a template that worked them out took longer than all else."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from gateway.console.languages import day, said
from gateway.console.languages import later as _l
from gateway.console.words import word
from gateway.console.zones import UTC
from gateway.domain.court import Court
from gateway.domain.order import Order, OrderState
from gateway.register.lines import LineEntry
from gateway.register.order_list import ListedOrder

_NUMBERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One order: `look` is the style of its state, `more` how many lines it has beside those that are shown."""

    order_id: str
    called: str
    look: str
    state: str
    disputes: int
    concerns: str
    numbers: Markup
    more: int
    court: str
    drafted: Markup
    is_liftable: bool


def order_rows(
    listed: Iterable[ListedOrder], courts: Mapping[str, Court], liftable: AbstractSet[str], at: datetime
) -> Iterator[OrderRow]:
    """Yield the rows of a list; what is left of a purged order has its id for a name, and no lines."""
    states = {state: word(state) for state in OrderState}
    written: dict[date, Markup] = {}
    for each in listed:
        order, court = each.order, courts.get(each.order.court_id)
        on = order.drafted_at.astimezone(ZoneInfo(court.zone if court else UTC)).date()
        if on not in written:
            written[on] = day(on)
        is_whole = isinstance(order, Order)
        state = order.state_at(at) if isinstance(order, Order) else OrderState.EXPIRED
        yield OrderRow(
            order_id=order.order_id,
            called=order.case_number if isinstance(order, Order) else order.order_id,
            look=state.value,
            state=states[state] if is_whole else said(_l("Purged")),
            disputes=each.open_disputes if is_whole else 0,
            concerns=order.subject.name if isinstance(order, Order) else word(order.subject_kind),
            numbers=_numbers(each.lines[:_NUMBERS]) if is_whole else Markup(),
            more=max(len(each.lines) - _NUMBERS, 0) if is_whole else 0,
            court=court.name if court else order.court_id,
            drafted=written[on],
            is_liftable=order.order_id in liftable,
        )


def _numbers(entries: Iterable[LineEntry]) -> Markup:
    """Return the numbers of lines below each other."""
    shown = (f'<span class="console-number">{escape(each.line.number.number)}</span>' for each in entries)
    return Markup("<br>".join(shown))  # noqa: S704  (escaped above)
