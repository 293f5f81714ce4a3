"""Hypothesis strategies for every domain value, and for whole situations that hang together.

Nothing here knows a rule: `situations()` mixes right and wrong orders, notices, moments and histories freely. It only
leans on the builders so that playable cases are common, for a property about silence is worth little among the silent.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import assert_never
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gateway.domain.court import Caps, Court, District
from gateway.domain.e164 import E164
from gateway.domain.facts import (
    Arriving,
    CalleeAnswered,
    CalleeListened,
    CallerListened,
    CallFacts,
    Capability,
    Destination,
    DialEnded,
    Looping,
    Moment,
    Opaque,
    Outcome,
    Party,
    SipUri,
    Telephone,
    Urgency,
)
from gateway.domain.notice import (
    MissingNotices,
    Notices,
    Opener,
    OrganisationNotices,
    PersonNotices,
    PrivateNotice,
    PublicNotice,
    Purpose,
    Rendition,
    Reply,
    WarningNotice,
)
from gateway.domain.order import Authority, Order, OrderState
from gateway.domain.standing import History, NoOrders, OrderOnLine, Standing, Unavailable, UnderOrders
from gateway.domain.subject import NaturalPerson, Organisation, RegistryIdentifier, Scheme, Subject
from tests.builders import EVERYTHING, OrderFields, an_order, instants_of

ORDER_IDS = ("order-1", "order-2", "order-3")
_ZONES = (
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
# All but I, O, S, V and Z: GB 32100-2015.
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that `decide` is given."""

    facts: CallFacts
    standing: Standing
    now: datetime


def texts(longest: int = 20) -> st.SearchStrategy[str]:
    """Draw text as providers send it, not always empty and not always ASCII."""
    return st.text(max_size=longest)


def names() -> st.SearchStrategy[str]:
    return st.text(min_size=1, max_size=20)


def digests() -> st.SearchStrategy[str]:
    return st.binary(min_size=32, max_size=32).map(bytes.hex)


def zones() -> st.SearchStrategy[ZoneInfo]:
    return st.sampled_from(_ZONES).map(ZoneInfo)


def instants() -> st.SearchStrategy[datetime]:
    """Draw aware instants, written in UTC or with some fixed offset."""
    offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return st.datetimes(
        min_value=datetime(2000, 1, 1),  # noqa: DTZ001  (Hypothesis takes naive bounds and adds the zone itself)
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001  (as above)
        timezones=st.just(UTC) | offsets,
    )


def near(now: datetime, *, days: int = 40) -> st.SearchStrategy[datetime]:
    """Draw instants about `now`, with the round distances on which limits turn."""
    far = timedelta(days=days)
    turns = [timedelta(0), timedelta(days=1), timedelta(days=7), timedelta(days=30)]
    edges = [sign * turn + step for turn in turns for sign in (1, -1) for step in (timedelta(0), timedelta.resolution)]
    return (st.sampled_from(edges) | st.timedeltas(-far, far)).map(lambda distance: now + distance)


def e164s() -> st.SearchStrategy[E164]:
    return st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).map(E164)


def opaques() -> st.SearchStrategy[Opaque]:
    return texts().map(Opaque)


def parties() -> st.SearchStrategy[Party]:
    return e164s() | opaques()


def destinations() -> st.SearchStrategy[Destination]:
    trunks = st.just("") | digests().map(lambda digest: "BY" + digest[:32])
    telephones = st.builds(lambda line, trunk: Telephone(number=line.number, trunk_sid=trunk), e164s(), trunks)
    return telephones | e164s().map(lambda line: SipUri(uri=f"sip:{line.number}@trunk.example.net"))


def identifiers() -> st.SearchStrategy[RegistryIdentifier]:
    """Draw identifiers of the right shape, none of a sole trader."""
    shapes = {
        Scheme.LEI: r"[A-Z0-9]{18}[0-9]{2}",
        Scheme.USCC: rf"(?!92)[{_USCC}]{{2}}[0-9]{{6}}[{_USCC}]{{10}}",
        Scheme.SIREN: r"[1-9][0-9]{8}",
        Scheme.EIN: r"[0-9]{2}-?[1-9][0-9]{6}",
        Scheme.COMPANY_GB: r"(?:[0-9]{8}|(?:SC|NI|OC|SO|NC|R0|FC)[0-9]{6})",
    }
    return st.one_of(
        *(
            st.builds(RegistryIdentifier, scheme=st.just(scheme), value=st.from_regex(shape, fullmatch=True))
            for scheme, shape in shapes.items()
        )
    )


def organisations() -> st.SearchStrategy[Organisation]:
    return st.builds(Organisation, name=names(), identifier=identifiers())


def people() -> st.SearchStrategy[NaturalPerson]:
    return st.builds(NaturalPerson, name=names())


def subjects() -> st.SearchStrategy[Subject]:
    return organisations() | people()


def renditions(longest: float = 20.0) -> st.SearchStrategy[Rendition]:
    return st.builds(
        Rendition,
        language=st.sampled_from(("en", "fr", "zh-Hans")),
        seconds=st.floats(0.1, longest),
        mulaw=digests(),
        alaw=digests(),
        wideband=digests(),
    )


def several_renditions(longest: float = 20.0) -> st.SearchStrategy[tuple[Rendition, ...]]:
    """Draw one to three renditions that last at most `longest` seconds together."""
    return st.lists(renditions(longest / 3), min_size=1, max_size=3).map(tuple)


def public_notices(subject: st.SearchStrategy[Organisation] | None = None) -> st.SearchStrategy[PublicNotice]:
    return st.builds(PublicNotice, subject=subject or organisations(), renditions=several_renditions())


def warnings(subject: st.SearchStrategy[Organisation] | None = None) -> st.SearchStrategy[WarningNotice]:
    return st.builds(WarningNotice, subject=subject or organisations(), renditions=several_renditions(60.0))


def openers(subject: st.SearchStrategy[NaturalPerson] | None = None) -> st.SearchStrategy[Opener]:
    return st.builds(Opener, subject=subject or people(), renditions=several_renditions())


def private_notices(subject: st.SearchStrategy[NaturalPerson] | None = None) -> st.SearchStrategy[PrivateNotice]:
    return st.builds(PrivateNotice, subject=subject or people(), renditions=several_renditions(60.0))


def replies(purpose: Purpose) -> st.SearchStrategy[Reply]:
    return st.builds(Reply, purpose=st.just(purpose), renditions=st.just(()) | several_renditions())


def organisation_notices(
    subject: st.SearchStrategy[Organisation] | None = None,
) -> st.SearchStrategy[OrganisationNotices]:
    return st.builds(OrganisationNotices, public=public_notices(subject), warning=warnings(subject))


def person_notices(subject: st.SearchStrategy[NaturalPerson] | None = None) -> st.SearchStrategy[PersonNotices]:
    return st.builds(
        PersonNotices,
        opener=openers(subject),
        private=private_notices(subject),
        acknowledged=replies(Purpose.ACKNOWLEDGED),
        contested=replies(Purpose.CONTESTED),
        wrong_person=replies(Purpose.WRONG_PERSON),
    )


def notices_about(subject: Subject) -> st.SearchStrategy[Notices]:
    match subject:
        case Organisation():
            return organisation_notices(st.just(subject))
        case NaturalPerson():
            return person_notices(st.just(subject))
        case _:
            assert_never(subject)


def notices() -> st.SearchStrategy[Notices]:
    """Draw notices about anybody: the register may hand out some that are not the order's own."""
    return st.one_of(organisation_notices(), person_notices(), st.just(MissingNotices()))


@st.composite
def caps(draw: st.DrawFn) -> Caps:
    """Draw caps that a court may set; now and then the hours leave no time at all."""
    earliest, latest = Caps().earliest, Caps().latest
    return Caps(
        openers_per_day=draw(st.integers(0, 3)),
        contents_per_day=draw(st.integers(0, 1)),
        contents_per_30_days=draw(st.integers(0, 3)),
        earliest=draw(st.just(earliest) | st.times(min_value=earliest)),
        latest=draw(st.just(latest) | st.times(max_value=latest)),
    )


def courts() -> st.SearchStrategy[Court]:
    return st.builds(
        Court,
        court_id=names(),
        name=names(),
        zone=st.sampled_from(_ZONES),
        warning_days=st.integers(1, 30),
        caps=caps(),
    )


def districts() -> st.SearchStrategy[District]:
    return st.builds(
        District,
        district_id=names(),
        court_id=names(),
        name=names(),
        parent_id=st.none() | names(),
        enabled=st.booleans(),
        reason=texts(),
    )


def authorities() -> st.SearchStrategy[Authority]:
    return st.builds(Authority, legal_basis=names(), document_sha256=digests())


@st.composite
def free_instants(draw: st.DrawFn, now: datetime) -> OrderFields:
    """Draw instants in any order, or none: what no officer would do and a damaged database might hold."""
    at = st.none() | near(now)
    return OrderFields(
        submitted_at=draw(at),
        approved_by=draw(st.none() | names()),
        approved_at=draw(at),
        warned_from=draw(at),
        in_force_from=draw(at),
        valid_until=draw(at),
        suspended_at=draw(st.none() | at),
        lifted_at=draw(st.none() | at),
    )


@st.composite
def orders(draw: st.DrawFn, now: datetime, order_id: str = ORDER_IDS[0]) -> Order:
    """Draw an order that at `now` is in one of the eight states, more often than not one that is heard."""
    heard = st.sampled_from((OrderState.IN_FORCE, OrderState.IN_FORCE, OrderState.WARNED))
    states = (heard | st.sampled_from(OrderState)).map(lambda state: instants_of(state, now))
    fields = draw(states | free_instants(now))
    draft = an_order(OrderState.DRAFT, at=now, order_id=order_id, subject=draw(subjects()))
    return replace(draft, **fields)


@st.composite
def histories(draw: st.DrawFn, now: datetime) -> History:
    played = st.lists(near(now), max_size=4).map(tuple)
    never = st.just(())
    return History(
        openers=draw(never | played),
        contents=draw(never | played),
        acknowledged_at=draw(st.none() | near(now)),
    )


@st.composite
def orders_on_line(draw: st.DrawFn, now: datetime, order_id: str = ORDER_IDS[0]) -> OrderOnLine:
    order = draw(orders(now, order_id))
    return OrderOnLine(
        order=order,
        caps=draw(st.just(Caps()) | caps()),
        zones=tuple(draw(st.lists(zones(), max_size=2))),
        line_suspended=draw(st.sampled_from((False, False, True))),
        district_enabled=draw(st.sampled_from((True, True, False))),
        notices=draw(notices_about(order.subject) | notices()),
        history=draw(st.just(History()) | histories(now)),
    )


@st.composite
def lines_under_orders(draw: st.DrawFn, now: datetime) -> UnderOrders:
    """Draw up to three orders on one line; none at all is odd, but it can be said."""
    ids = draw(st.lists(st.sampled_from(ORDER_IDS), unique=True, max_size=3))
    return UnderOrders(tuple(draw(orders_on_line(now, order_id)) for order_id in ids))


def standings(now: datetime) -> st.SearchStrategy[Standing]:
    silent = st.just(NoOrders()) | names().map(Unavailable)
    return st.one_of(lines_under_orders(now), lines_under_orders(now), silent)


def keys() -> st.SearchStrategy[str]:
    return st.sampled_from(("", "1", "2", "3", "9", "0", "#", "*", "11")) | texts(3)


def moments() -> st.SearchStrategy[Moment]:
    order_ids = st.sampled_from((*ORDER_IDS, "order-of-another-line", ""))
    return st.one_of(
        st.just(Arriving()),
        st.just(Looping()),
        st.builds(CallerListened, order_id=order_ids, key=keys()),
        st.builds(CalleeAnswered, order_id=order_ids),
        st.builds(CalleeListened, order_id=order_ids, purpose=st.sampled_from(Purpose), key=keys()),
        st.builds(DialEnded, outcome=st.sampled_from(Outcome), whispered=st.booleans()),
    )


def calls(moment: st.SearchStrategy[Moment] | None = None) -> st.SearchStrategy[CallFacts]:
    return st.builds(
        CallFacts,
        provider=names(),
        provider_call_id=names(),
        caller=parties(),
        callee=e164s() | parties(),
        destination=destinations(),
        capabilities=st.just(EVERYTHING) | st.frozensets(st.sampled_from(Capability)),
        urgency=st.sampled_from((Urgency.ORDINARY, Urgency.ORDINARY, Urgency.NEVER_DELAY)),
        moment=moment or moments(),
    )


@st.composite
def situations(draw: st.DrawFn, moment: st.SearchStrategy[Moment] | None = None) -> Situation:
    """Draw a call, a line and an instant that know of one another."""
    now = draw(instants())
    return Situation(facts=draw(calls(moment)), standing=draw(standings(now)), now=now)
