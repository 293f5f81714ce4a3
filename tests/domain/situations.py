"""Whole situations that hang together, drawn quickly and without knowing a rule.

Right and wrong orders, notices, moments and histories are mixed freely. Playable ones are made common on purpose: a
property about silence is worth little among the silent. Nobody's name matters here, so people and prompts are few.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gateway.domain.court import Caps
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallFacts,
    Capability,
    Destination,
    Moment,
    Opaque,
    Party,
    SipUri,
    Urgency,
)
from gateway.domain.notice import MissingNotices, Notices, Purpose
from gateway.domain.order import OrderState
from gateway.domain.standing import History, NoOrders, OrderOnLine, Standing, Unavailable, UnderOrders
from gateway.domain.subject import Scheme, Subject
from tests.builders import (
    CALLEE,
    CALLER,
    DESTINATION,
    EVERYTHING,
    NOW,
    OrderFields,
    a_call,
    a_person,
    an_identifier,
    an_order,
    an_organisation,
    notices_about,
    order_on_line,
    person_notices,
)
from tests.strategies import OFFSETS, ZONES, instants, moments

ORDER_IDS = ("order-1", "order-2", "order-3")
_HEARD = (OrderState.IN_FORCE, OrderState.IN_FORCE, OrderState.WARNED)
_AMISS = ("state", "instants", "district", "line", "notices", "place", "history")
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
    Caps(latest=time(12)),
)
_NOONS = tuple((NOW + timedelta(days=days)).astimezone(zone) for days, zone in enumerate((UTC, *OFFSETS)))
_AUDIBLE: tuple[Moment, ...] = (
    Arriving(),
    CalleeAnswered(order_id=ORDER_IDS[0]),
    CalleeListened(order_id=ORDER_IDS[0], purpose=Purpose.OPENER, key="1"),
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
def histories(draw: st.DrawFn, now: datetime) -> History:
    played = st.lists(distances(), max_size=4)
    return History(
        openers=tuple(now + distance for distance in draw(played)),
        contents=tuple(now + distance for distance in draw(played)),
        acknowledged_at=now + draw(distances()) if draw(st.booleans()) else None,
    )


@st.composite
def orders_on_line(draw: st.DrawFn, now: datetime, order_id: str = ORDER_IDS[0]) -> OrderOnLine:
    """Draw an order that would be heard at noon in London, and then let up to two things be amiss with it."""
    state, subject = draw(st.sampled_from(_HEARD)), draw(st.sampled_from(_SUBJECTS))
    each = order_on_line(an_order(state, at=now, order_id=order_id, subject=subject))
    for what in draw(st.lists(st.sampled_from(_AMISS), max_size=2, unique=True)):
        match what:
            case "state":
                state = draw(st.sampled_from(OrderState))
                each = replace(each, order=an_order(state, at=now, order_id=order_id, subject=subject))
            case "instants":
                each = replace(each, order=replace(each.order, **draw(free_instants(now))))
            case "district":
                each = replace(each, district_enabled=False)
            case "line":
                each = replace(each, line_suspended=True)
            case "notices":
                each = replace(each, notices=draw(st.sampled_from(_NOTICES)))
            case "place":
                each = replace(each, zones=draw(st.sampled_from(_PLACES)))
            case _:
                each = replace(each, history=draw(histories(now)), caps=draw(st.sampled_from(_CAPS)))
    return each


@st.composite
def lines_under_orders(draw: st.DrawFn, now: datetime) -> UnderOrders:
    """Draw one to three orders on one line; the first of `ORDER_IDS` is always among them."""
    one, two, three = ORDER_IDS
    ids = draw(st.sampled_from(((one,), (one,), (one, two), (two, one), (three, one, two))))
    return UnderOrders(tuple(draw(orders_on_line(now, order_id)) for order_id in ids))


@st.composite
def standings(draw: st.DrawFn, now: datetime) -> Standing:
    match draw(st.integers(0, 7)):
        case 0:
            return NoOrders()
        case 1:
            return Unavailable("register_down")
        case 2:
            return UnderOrders(())
        case _:
            return draw(lines_under_orders(now))


@st.composite
def noons(draw: st.DrawFn) -> datetime:
    """Draw instants that are mostly noon in London, where nothing is silent for the hour alone."""
    return draw(st.sampled_from(_NOONS)) if draw(st.integers(0, 3)) else draw(instants())


@st.composite
def situations(draw: st.DrawFn, moment: st.SearchStrategy[Moment] | None = None) -> Situation:
    """Draw any call, line and instant; the moment is about an order that the line may be under."""
    now = draw(noons())
    facts = a_call(
        draw(moments() if moment is None else moment),
        caller=draw(st.sampled_from(_PARTIES)),
        callee=draw(st.sampled_from((CALLEE, CALLEE, CALLEE, *_PARTIES))),
        destination=draw(st.sampled_from(_DESTINATIONS)),
        capabilities=draw(st.sampled_from(_CAPABILITIES)),
        urgency=draw(st.sampled_from((*[Urgency.ORDINARY] * 7, Urgency.NEVER_DELAY))),
    )
    return Situation(facts=facts, standing=draw(standings(now)), now=now)


@st.composite
def audible_situations(draw: st.DrawFn) -> Situation:
    """Draw situations in which nothing but the orders on the line, and the instant, can be a reason for silence."""
    now = draw(noons())
    facts = a_call(draw(st.sampled_from(_AUDIBLE)), caller=draw(st.sampled_from(_PARTIES)))
    return Situation(facts=facts, standing=draw(lines_under_orders(now)), now=now)
