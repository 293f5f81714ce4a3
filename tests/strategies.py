"""Hypothesis strategies for every value of the domain, over its whole range."""

from datetime import UTC, datetime, timedelta, timezone
from functools import cache
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
from gateway.domain.order import Authority
from gateway.domain.subject import NaturalPerson, Organisation, RegistryIdentifier, Scheme, Subject

OFFSETS = tuple(timezone(timedelta(minutes=minutes)) for minutes in (-720, -210, 60, 330, 845))
ZONES = (
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


def texts(longest: int = 20) -> st.SearchStrategy[str]:
    """Draw text as providers send it, not always empty and not always ASCII."""
    return st.text(max_size=longest)


@cache
def names() -> st.SearchStrategy[str]:
    return st.text(min_size=1, max_size=20)


@cache
def digests() -> st.SearchStrategy[str]:
    return st.binary(min_size=32, max_size=32).map(bytes.hex)


@cache
def zones() -> st.SearchStrategy[ZoneInfo]:
    return st.sampled_from(ZONES).map(ZoneInfo)


@cache
def instants() -> st.SearchStrategy[datetime]:
    """Draw aware instants, written in UTC or with some fixed offset."""
    return st.datetimes(
        min_value=datetime(2000, 1, 1),  # noqa: DTZ001  (Hypothesis takes naive bounds and adds the zone itself)
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001  (as above)
        timezones=st.sampled_from((UTC, *OFFSETS)),
    )


@cache
def e164s() -> st.SearchStrategy[E164]:
    return st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).map(E164)


@cache
def opaques() -> st.SearchStrategy[Opaque]:
    return texts().map(Opaque)


@cache
def parties() -> st.SearchStrategy[Party]:
    return e164s() | opaques()


@cache
def destinations() -> st.SearchStrategy[Destination]:
    trunks = st.just("") | digests().map(lambda digest: "BY" + digest[:32])
    telephones = st.builds(lambda line, trunk: Telephone(number=line.number, trunk_sid=trunk), e164s(), trunks)
    return telephones | e164s().map(lambda line: SipUri(uri=f"sip:{line.number}@trunk.example.net"))


@cache
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
            st.builds(
                RegistryIdentifier,
                scheme=st.just(scheme),
                value=st.from_regex(shape, fullmatch=True),
                legal_form=st.sampled_from(["Incorporated", "SARL", "GmbH"]),
            )
            for scheme, shape in shapes.items()
        )
    )


@cache
def organisations() -> st.SearchStrategy[Organisation]:
    return st.builds(Organisation, name=names(), identifier=identifiers())


@cache
def people() -> st.SearchStrategy[NaturalPerson]:
    return st.builds(NaturalPerson, name=names())


@cache
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
    return st.builds(
        PublicNotice, subject=organisations() if subject is None else subject, renditions=several_renditions()
    )


def warnings(subject: st.SearchStrategy[Organisation] | None = None) -> st.SearchStrategy[WarningNotice]:
    return st.builds(
        WarningNotice, subject=organisations() if subject is None else subject, renditions=several_renditions(60.0)
    )


def openers(subject: st.SearchStrategy[NaturalPerson] | None = None) -> st.SearchStrategy[Opener]:
    return st.builds(Opener, subject=people() if subject is None else subject, renditions=several_renditions())


def private_notices(subject: st.SearchStrategy[NaturalPerson] | None = None) -> st.SearchStrategy[PrivateNotice]:
    return st.builds(
        PrivateNotice, subject=people() if subject is None else subject, renditions=several_renditions(60.0)
    )


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


@cache
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


@cache
def courts() -> st.SearchStrategy[Court]:
    return st.builds(
        Court,
        court_id=names(),
        name=names(),
        zone=st.sampled_from(ZONES),
        warning_days=st.integers(1, 30),
        caps=caps(),
    )


@cache
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


@cache
def authorities() -> st.SearchStrategy[Authority]:
    return st.builds(Authority, legal_basis=names(), document_sha256=digests())


@cache
def keys() -> st.SearchStrategy[str]:
    return st.sampled_from(("", *"1239045678*#", "11", "one", "\x00"))


@cache
def moments() -> st.SearchStrategy[Moment]:
    order_ids = st.sampled_from(("order-1", "order-2", "order-3", "order-of-another-line", ""))
    return st.one_of(
        st.just(Arriving()),
        st.just(Looping()),
        st.builds(CallerListened, order_id=order_ids, key=keys()),
        st.builds(CalleeAnswered, order_id=order_ids),
        st.builds(CalleeListened, order_id=order_ids, purpose=st.sampled_from(Purpose), key=keys()),
        st.builds(DialEnded, outcome=st.sampled_from(Outcome), whispered=st.booleans()),
    )


@cache
def calls() -> st.SearchStrategy[CallFacts]:
    return st.builds(
        CallFacts,
        provider=names(),
        provider_call_id=names(),
        caller=parties(),
        callee=parties(),
        destination=destinations(),
        capabilities=st.frozensets(st.sampled_from(Capability)),
        urgency=st.sampled_from(Urgency),
        moment=moments(),
    )
