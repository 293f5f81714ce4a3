"""The rows of the list of orders, as the page has them: a template that worked them out took longer than all else."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import ngettext
from markupsafe import Markup, escape

from gateway.console.languages import day, text
from gateway.console.languages import later as _l
from gateway.console.words import word
from gateway.console.zones import UTC
from gateway.domain.court import Court
from gateway.domain.order import OrderState
from gateway.register.order_outline import OrderOutline


def order_rows(outlined: Iterable[OrderOutline], courts: Mapping[str, Court], liftable: AbstractSet[str]) -> Markup:
    """Return the rows of a table, with a column to lift by where any of the orders is liftable."""
    writer = _Writer(
        courts=courts,
        liftable=liftable,
        base=url_for("list_orders"),
        lift=text(_l("Lift")),
    )
    return Markup("\n".join(map(writer.row, outlined)))  # noqa: S704  (each part is escaped where it is made)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """What the rows of one page share; a state, a court and a day that many orders have is written once."""

    courts: Mapping[str, Court]
    liftable: AbstractSet[str]
    base: str
    lift: Markup
    _states: dict[OrderState, str] = field(default_factory=dict)
    _courts: dict[str, Markup] = field(default_factory=dict)
    _days: dict[date, Markup] = field(default_factory=dict)

    def row(self, order: OrderOutline) -> str:
        """Return the row of an order; what is left of a purged one has its id for a name, and no lines."""
        href = f"{self.base}/{escape(order.order_id)}"
        called = escape(order.case_number or order.order_id)
        concerns = word(order.kind) if order.is_purged else order.name
        return (
            '<tr class="govuk-table__row">\n'
            '<th scope="row" class="govuk-table__cell console-case">'
            f'<a class="govuk-link" href="{href}">{called}</a></th>\n'
            f'<td class="govuk-table__cell">{self._state(order)}</td>\n'
            f'<td class="govuk-table__cell">{escape(concerns)}</td>\n'
            f'<td class="govuk-table__cell">{_numbers(order)}</td>\n'
            f'<td class="govuk-table__cell">{self._court(order.court_id)}</td>\n'
            f'<td class="govuk-table__cell">{self._drafted(order)}</td>\n'
            f"{self._lift(order.order_id, href, called)}"
            "</tr>\n"
        )

    def _state(self, order: OrderOutline) -> str:
        if order.is_purged:
            return _tag(OrderState.EXPIRED, text(_l("Purged")))
        if order.state not in self._states:
            self._states[order.state] = _tag(order.state, word(order.state))
        state = self._states[order.state]
        if not order.open_disputes:
            return state
        disputes = escape(ngettext("%(num)s dispute", "%(num)s disputes", order.open_disputes))
        return f'{state} <strong class="govuk-tag govuk-tag--red console-state">{disputes}</strong>'

    def _court(self, court_id: str) -> Markup:
        if court_id not in self._courts:
            court = self.courts.get(court_id)
            self._courts[court_id] = escape(court.name if court else court_id)
        return self._courts[court_id]

    def _drafted(self, order: OrderOutline) -> Markup:
        court = self.courts.get(order.court_id)
        on = order.drafted_at.astimezone(ZoneInfo(court.zone if court else UTC)).date()
        if on not in self._days:
            self._days[on] = day(on)
        return self._days[on]

    def _lift(self, order_id: str, href: str, called: Markup) -> str:
        if not self.liftable:
            return ""
        if order_id not in self.liftable:
            return '<td class="govuk-table__cell"></td>\n'
        hidden = f'<span class="govuk-visually-hidden"> {called}</span>'
        return f'<td class="govuk-table__cell"><a class="govuk-link" href="{href}/lift">{self.lift}{hidden}</a></td>\n'


def _tag(look: OrderState, called: str) -> str:
    return f'<strong class="govuk-tag console-state console-state--{look.value}">{escape(called)}</strong>'


def _numbers(order: OrderOutline) -> str:
    """Return the numbers of lines below each other."""
    shown = "<br>".join([f'<span class="console-number">{escape(each)}</span>' for each in order.numbers])
    more = order.lines - len(order.numbers)
    if not more:
        return shown
    others = text(_l("and %(number)s more"), number=more)
    return f"{shown}<br>{others}"
