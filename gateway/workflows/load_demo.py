"""Load the demo: courts that do not exist, lines reserved for fiction, one order of every kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from gateway.audit.tables import plays
from gateway.domain.court import Caps, Court, District
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.order import Authority
from gateway.domain.subject import NaturalPerson, Organisation, Subject
from gateway.register import courts, districts, orders
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.register.tables import notices as notices_table
from gateway.register.tables import orders as orders_table
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from gateway.workflows.issue_order import OrderDraft, issue_order
from gateway.workflows.publish_notice import Studio, Wanted

_OFFICERS = Officers(added_by="the demo's clerk", approved_by="the demo's judge")
# The SHA-256 of nothing at all: the demo's orders have no document, and nobody could take them for real ones.
_NO_DOCUMENT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_AUTHORITY = Authority(legal_basis="Demonstration only: no law, no court, no debt.", document_sha256=_NO_DOCUMENT)

COURTS = (
    Court(court_id="lakeside", name="Lakeside County Court", zone="America/New_York"),
    Court(court_id="thameside", name="Thameside Civil Court", zone="Europe/London"),
    Court(court_id="bayside", name="Bayside District Court", zone="Australia/Sydney"),
)
DISTRICTS = (
    District(district_id="lakeside", court_id="lakeside", name="Lakeside", parent_id=None, enabled=True),
    District(district_id="lakeside-north", court_id="lakeside", name="North", parent_id="lakeside", enabled=True),
    District(
        district_id="lakeside-south",
        court_id="lakeside",
        name="South",
        parent_id="lakeside",
        enabled=False,
        reason="Demonstration of a district that is switched off",
    ),
    District(district_id="thameside", court_id="thameside", name="Thameside", parent_id=None, enabled=True),
    District(district_id="bayside", court_id="bayside", name="Bayside", parent_id=None, enabled=True),
)


class RealDataError(GatewayError):
    """{where} holds real data ({what}), not the demo's. Give another NOTICE_GATEWAY_DATA_DIR, or set an auth token."""

    code = "real_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One order of the demo: when it was issued and for how long, in days, relative to now."""

    line: Line
    district_id: str
    case_number: str
    subject: Subject
    languages: tuple[str, ...] = ("en",)
    issued_days_ago: float = 4
    valid_days: float = 90
    lifted: bool = False


def samples() -> tuple[Sample, ...]:
    """Return the demo's orders. The identifiers are well formed and belong to nobody; so do the numbers.

    Numbers set aside for fiction: 555-0100 to 555-0199 (North American Numbering Plan), 020 7946 0000 to 0999 (Ofcom),
    02 5550 0000 to 9999 (ACMA).
    """
    return (
        Sample(
            line=_line("+12025550110"),
            district_id="lakeside-north",
            case_number="2026-CV-0110",
            subject=_organisation("Example Cartage Incorporated", "ein", "12-3456789"),
        ),
        Sample(
            line=_line("+442079460110"),
            district_id="thameside",
            case_number="2026-TC-0110",
            subject=_organisation("Sample Trading Limited", "company_gb", "00000110"),
            languages=("en", "zh"),
        ),
        Sample(
            line=_line("+12025550111"),
            district_id="lakeside-north",
            case_number="2026-CV-0111",
            subject=_organisation("Specimen Foods Incorporated", "ein", "12-3456780"),
            issued_days_ago=0,
        ),
        _person("+12025550120", "America/New_York", "lakeside-north", "2026-SV-0120"),
        _person("+442079460120", "Europe/London", "thameside", "2026-TS-0120"),
        _person("+61255500120", "Australia/Sydney", "bayside", "2026-BS-0120"),
        Sample(
            line=_line("+12025550130"),
            district_id="lakeside-north",
            case_number="2026-CV-0130",
            subject=_organisation("Paidup Example Incorporated", "ein", "12-3456781"),
            lifted=True,
        ),
        Sample(
            line=_line("+12025550140"),
            district_id="lakeside-south",
            case_number="2026-CV-0140",
            subject=_organisation("Quiet Example Incorporated", "ein", "12-3456782"),
        ),
        Sample(
            line=_line("+12025550150"),
            district_id="lakeside-north",
            case_number="2026-CV-0150",
            subject=_organisation("Bygone Example Incorporated", "ein", "12-3456783"),
            issued_days_ago=40,
            valid_days=30,
        ),
    )


def person_in_permitted_hours(now: datetime) -> tuple[str, str]:
    """Return the number and the city of a person in the demo who may be spoken to now; one always may."""
    caps = Caps()
    for sample in samples():
        if isinstance(sample.subject, NaturalPerson):
            local = now.astimezone(ZoneInfo(sample.line.zone)).time()
            if caps.earliest <= local < caps.latest:
                break
    return sample.line.number.number, sample.line.zone.rpartition("/")[2].replace("_", " ")


def refuse_real_data(studio: Studio, where: str, *, marked: bool) -> None:
    """Raise RealDataError where the register has a court that the demo did not put there.

    In a folder that is not `marked` as the demo's, every court is real, whatever it is called.
    """
    ours = {court.court_id for court in COURTS} if marked else set()
    with studio.engine.connect() as connection:
        real = [court_id for court_id in courts.ids(connection) if court_id not in ours]
    if real:
        raise RealDataError(where=where, what=f"court {real[0]}")


def load_demo(studio: Studio, now: datetime) -> Iterator[tuple[int, int, str]]:
    """Put the demo back to its first state, order by order; yields done, total and what comes next.

    Running it again renews the dates, for an order stays in its warning period for three days only. Orders that someone
    else issued for the demo's courts stay.
    """
    todo = samples()
    _clear(studio, now)
    for done, sample in enumerate(todo):
        yield done, len(todo), f"{sample.line.number.number} {sample.case_number}"
        _issue(studio, sample, now)
    yield len(todo), len(todo), "done"


def _clear(studio: Studio, now: datetime) -> None:
    with studio.engine.begin() as connection:
        doomed = select(orders_table.c.order_id).where(orders_table.c.drafted_by == _OFFICERS.added_by)
        connection.execute(delete(plays).where(plays.c.order_id.in_(doomed)))
        connection.execute(delete(notices_table).where(notices_table.c.order_id.in_(doomed)))
        orders.erase(connection, drafted_by=_OFFICERS.added_by)
        present = courts.ids(connection)
        for court in COURTS:
            if court.court_id not in present:
                courts.add(connection, court)
        known = {district.district_id for district, _heard in districts.tree(connection)}
        for district in DISTRICTS:
            if district.district_id not in known:
                districts.add(connection, district, now)
            else:
                districts.switch(
                    connection, district.district_id, to_enabled=district.enabled, reason=district.reason, now=now
                )


def _issue(studio: Studio, sample: Sample, now: datetime) -> None:
    issued = now - timedelta(days=sample.issued_days_ago)
    court_id = next(each.court_id for each in DISTRICTS if each.district_id == sample.district_id)
    draft = OrderDraft(
        court_id=court_id,
        district_id=sample.district_id,
        case_number=sample.case_number,
        subject=sample.subject,
        lines=(sample.line,),
        authority=_AUTHORITY,
        officers=_OFFICERS,
        valid_for=timedelta(days=sample.valid_days),
        wanted=Wanted(languages=sample.languages),
    )
    order = issue_order(studio, draft, at_the_command_line(issued))
    if sample.lifted:
        errand = at_the_command_line(now - timedelta(days=1))
        lift_order(studio.engine, studio.keys, order.order_id, errand, reason="Paid, in the demonstration")


def _line(number: str, zone: str = "") -> Line:
    return Line(number=E164(number), zone=zone, evidence="Demonstration: published nowhere, by nobody")


def _organisation(name: str, scheme: str, identifier: str) -> Organisation:
    return Organisation(name=name, identifier=read_identifier(scheme, identifier, name.rpartition(" ")[2]))


def _person(number: str, zone: str, district_id: str, case_number: str) -> Sample:
    return Sample(
        line=_line(number, zone),
        district_id=district_id,
        case_number=case_number,
        subject=NaturalPerson(name="A. Nobody"),
        issued_days_ago=1,
    )
