"""Whole situations that hang together, drawn quickly and without knowing a rule.

Right and wrong orders, notices, moments and histories are mixed freely. Playable ones are made common on purpose: a
property about silence is worth little among the silent. Nobody's name matters here, so people and prompts are few.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cache
from itertools import permutations
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gateway.domain.court import Caps
from gateway.domain.facts import CallFacts, Capability, Destination, Moment, Opaque, Party, SipUri, Urgency
from gateway.domain.notice import MissingNotices, Notices
from gateway.domain.order import Order, OrderState
from gateway.domain.standing import History, NoOrders, OrderOnLine, Standing, Unavailable, UnderOrders
from gateway.domain.subject import Scheme, Subject
from tests.builders import (
    CALLEE,
    CALLER,
    DESTINATION,
    EVERYTHING,
    OrderFields,
    a_call,
    a_person,
    an_identifier,
    an_order,
    an_organisation,
    notices_about,
    person_notices,
)
from tests.strategies import ZONES, instants, moments

ORDER_IDS = ("order-1", "order-2", "order-3")
_STATES = (OrderState.IN_FORCE, OrderState.IN_FORCE, OrderState.WARNED, *OrderState)
# Inside a situation it matters who is who, not what anybody is called: drawing from these is many times quicker.
_SUBJECTS: tuple[Subject, ...] = (
    an_organisation(),
    an_organisation("Southwind Shipping SA", an_identifier(Scheme.SIREN, "732829320")),
    a_person(),
    a_person("Sam Sample"),
)
_NOTICES: tuple[Notices, ...] = (
    *map(notices_about, _SUBJECTS),
    person_notices(replies=False),
    MissingNotices(),
)
_CAPS = (
    *[Caps()] * 4,
    Caps(openers_per_day=1, contents_per_30_days=1),
    Caps(openers_per_day=0),
    Caps(contents_per_day=0),
    Caps(earliest=time(10), latest=time(18)),
    Caps(earliest=time(20), latest=time(9)),
)
_PARTIES: tuple[Party, ...] = (CALLER, CALLEE, Opaque("anonymous"), Opaque(""))
_DESTINATIONS: tuple[Destination, ...] = (DESTINATION, SipUri(uri="sip:+442079460110@trunk.example.net"))
_CAPABILITIES = (
    *[EVERYTHING] * 6,
    *[EVERYTHING - {lacking} for lacking in EVERYTHING],
    frozenset[Capability](),
)
_PLACES = (
    *[(ZoneInfo(zone),) for zone in ZONES],
    (ZoneInfo("Europe/Madrid"), ZoneInfo("Atlantic/Canary")),
    (),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that `decide` is given."""

    facts: CallFacts
    standing: Standing
    now: datetime


@cache
def distances() -> st.SearchStrategy[timedelta]:
    """Draw distances from an instant: the round ones on which limits turn, a tick to either side, and some others."""
    turns = [timedelta(days=days) for days in (0, 1, 7, 30)]
    ticks = (-timedelta.resolution, timedelta(0), timedelta.resolution)
    edges = [sign * turn + tick for turn in turns for sign in (-1, 1) for tick in ticks]
    others = [sign * timedelta(hours=hours) for hours in (1, 5, 23, 50, 200, 800) for sign in (-1, 1)]
    return st.sampled_from([*edges, *others])


@st.composite
def free_instants(draw: st.DrawFn, now: datetime) -> OrderFields:
    """Draw instants in any order, or none: what no officer would do and a damaged database might hold."""
    named = ("submitted_at", "approved_at", "warned_from", "in_force_from", "valid_until", "suspended_at", "lifted_at")
    submitted, approved, warned, in_force, until, suspended, lifted = (
        now + draw(distances()) if draw(st.booleans()) else None for _ in named
    )
    return OrderFields(
        submitted_at=submitted,
        approved_by="officer-2" if draw(st.booleans()) else None,
        approved_at=approved,
        warned_from=warned,
        in_force_from=in_force,
        valid_until=until,
        suspended_at=suspended if draw(st.booleans()) else None,
        lifted_at=lifted if draw(st.booleans()) else None,
    )


@st.composite
def orders(draw: st.DrawFn, now: datetime, order_id: str = ORDER_IDS[0]) -> Order:
    """Draw an order that at `now` is in one of the eight states, more often than not one that is heard."""
    subject = draw(st.sampled_from(_SUBJECTS))
    if draw(st.integers(0, 3)):
        return an_order(draw(st.sampled_from(_STATES)), at=now, order_id=order_id, subject=subject)
    draft = an_order(OrderState.DRAFT, at=now, order_id=order_id, subject=subject)
    return replace(draft, **draw(free_instants(now)))


@st.composite
def histories(draw: st.DrawFn, now: datetime) -> History:
    played = st.lists(distances(), max_size=4)
    return History(
        openers=tuple(now + distance for distance in draw(played)),
        contents=tuple(now + distance for distance in draw(played)),
        acknowledged_at=now + draw(distances()) if draw(st.booleans()) else None,
    )


@st.composite
def orders_on_line(draw: st.DrawFn, now: datetime, order_id: str = ORDER_IDS[0]) -> OrderOnLine:
    order = draw(orders(now, order_id))
    return OrderOnLine(
        order=order,
        caps=draw(st.sampled_from(_CAPS)),
        zones=draw(st.sampled_from(_PLACES)),
        line_suspended=draw(st.sampled_from((False, False, False, True))),
        district_enabled=draw(st.sampled_from((True, True, True, False))),
        notices=draw(st.sampled_from((notices_about(order.subject), *_NOTICES))),
        history=draw(histories(now)) if draw(st.booleans()) else History(),
    )


@st.composite
def lines_under_orders(draw: st.DrawFn, now: datetime) -> UnderOrders:
    """Draw up to three orders on one line; none at all is odd, but it can be said."""
    ids = draw(st.sampled_from([ids for count in (1, 2, 3, 0) for ids in permutations(ORDER_IDS, count)]))
    return UnderOrders(tuple(draw(orders_on_line(now, order_id)) for order_id in ids))


@st.composite
def standings(draw: st.DrawFn, now: datetime) -> Standing:
    match draw(st.integers(0, 7)):
        case 0:
            return NoOrders()
        case 1:
            return Unavailable("register_down")
        case _:
            return draw(lines_under_orders(now))


@st.composite
def situations(draw: st.DrawFn, moment: st.SearchStrategy[Moment] | None = None) -> Situation:
    """Draw a call, a line and an instant that know of one another."""
    now = draw(instants())
    facts = a_call(
        draw(moments() if moment is None else moment),
        caller=draw(st.sampled_from(_PARTIES)),
        callee=draw(st.sampled_from((CALLEE, CALLEE, CALLEE, *_PARTIES))),
        destination=draw(st.sampled_from(_DESTINATIONS)),
        capabilities=draw(st.sampled_from(_CAPABILITIES)),
        urgency=draw(st.sampled_from((*[Urgency.ORDINARY] * 7, Urgency.NEVER_DELAY))),
    )
    return Situation(facts=facts, standing=draw(standings(now)), now=now)
