import wave
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from gateway.assembly import Parts
from gateway.audio.errors import RecordingRefusedError, TextTooLongError
from gateway.clock import utc_now
from gateway.domain.court import Court, District
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError, NoticeTooLongError, SameOfficerError
from gateway.domain.notice import Purpose
from gateway.domain.order import Authority, OrderState
from gateway.domain.subject import NaturalPerson, Organisation
from gateway.register import notices as register_notices
from gateway.register import orders
from gateway.register.errors import DuplicateOrderError, UnknownEntryError, UnknownZoneError
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.register.tables import lines, notices
from gateway.register.tables import orders as orders_table
from gateway.workflows.change import at_the_command_line
from gateway.workflows.draft_order import NothingStatedError, WrongDistrictError
from gateway.workflows.end_order import lift_order
from gateway.workflows.issue_order import (
    AuthorityDocumentError,
    OrderDraft,
    issue_order,
    read_authority,
)
from gateway.workflows.load_demo import RealDataError, load_demo, refuse_real_data
from gateway.workflows.publish_notice import (
    Recording,
    Studio,
    Text,
    Wanted,
    WrongPurposeError,
    publish_notice,
    written_date,
)
from gateway.workflows.set_up_court import (
    ForeignParentError,
    InvalidIdError,
    TakenIdError,
    WarningDaysError,
    add_court,
    add_district,
)
from gateway.workflows.switch_district import ReasonMissingError, switch_district
from tests.conftest import a_studio

OFFICERS = Officers(added_by="clerk", approved_by="judge")


@pytest.fixture
def studio(parts: Parts) -> Studio:
    """The studio over the demo, with a voice that hums."""
    return a_studio(parts)


def a_draft(**changes: object) -> OrderDraft:
    draft = OrderDraft(
        court_id="lakeside",
        district_id="lakeside-north",
        case_number="2026-CV-7",
        subject=Organisation(name="Example Haulage Inc", identifier=read_identifier("ein", "12-3456789", "Inc.")),
        lines=(Line(number=E164("+12025550160"), evidence="its own web page, seen 2026-03-02"),),
        authority=Authority(legal_basis="Rule 69", document_sha256="0" * 64),
        officers=OFFICERS,
        valid_for=timedelta(days=90),
        wanted=Wanted(languages=("en",)),
    )
    return replace(draft, **changes)  # type: ignore[arg-type]  # (each test changes fields it knows)


def counts(studio: Studio) -> tuple[int | None, ...]:
    with studio.engine.connect() as connection:
        return tuple(
            connection.scalar(select(func.count()).select_from(table)) for table in (orders_table, lines, notices)
        )


def a_recording(path: Path, *, amplitude: float = 8000.0, seconds: float = 2.0) -> Path:
    times = np.arange(int(seconds * 16_000)) / 16_000
    samples = (amplitude * np.sin(2 * np.pi * 440 * times) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * times))).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return path


def test_an_organisations_order_is_warned_for_the_courts_days_and_then_in_force(studio: Studio) -> None:
    now = utc_now()
    order = issue_order(studio, a_draft(), at_the_command_line(now))
    assert order.state_at(now) is OrderState.WARNED
    assert order.state_at(now + timedelta(days=3)) is OrderState.IN_FORCE
    assert order.state_at(now + timedelta(days=90)) is OrderState.EXPIRED


def test_a_persons_order_is_in_force_at_once_and_has_no_public_notice(studio: Studio) -> None:
    now = utc_now()
    order = issue_order(studio, a_draft(subject=NaturalPerson(name="A. Person")), at_the_command_line(now))
    assert order.state_at(now) is OrderState.IN_FORCE
    with studio.engine.connect() as connection:
        parts = register_notices.parts_of(connection, [order.order_id])[order.order_id]
    assert set(parts) == {Purpose.OPENER, Purpose.PRIVATE}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"court_id": "nowhere"}, UnknownEntryError),
        ({"district_id": "nowhere"}, UnknownEntryError),
        ({"district_id": "bayside"}, WrongDistrictError),
        ({"case_number": " "}, NothingStatedError),
        ({"case_number": "2026-CV-0110"}, DuplicateOrderError),
        ({"lines": ()}, NothingStatedError),
        ({"wanted": Wanted(languages=())}, NothingStatedError),
        ({"authority": Authority(legal_basis="", document_sha256="0" * 64)}, NothingStatedError),
        ({"valid_for": timedelta(days=1)}, GatewayError),
        ({"valid_for": timedelta(days=400)}, GatewayError),
        ({"wanted": Wanted(languages=("xx",))}, GatewayError),
        ({"wanted": Wanted(languages=("en",), content={"en": Text(text="x" * 4000)})}, TextTooLongError),
    ],
)
def test_a_draft_that_cannot_be_issued_is_refused_and_leaves_nothing(
    studio: Studio, changes: dict[str, object], error: type[GatewayError]
) -> None:
    before = counts(studio)
    with pytest.raises(error):
        issue_order(studio, a_draft(**changes), at_the_command_line(utc_now()))
    assert counts(studio) == before


def test_a_public_notice_longer_than_twenty_seconds_is_refused_and_leaves_nothing(parts: Parts) -> None:
    slow = a_studio(parts, seconds=11.0)
    before = counts(slow)
    with pytest.raises(NoticeTooLongError, match="20 s"):
        issue_order(slow, a_draft(wanted=Wanted(languages=("en", "zh"))), at_the_command_line(utc_now()))
    assert counts(slow) == before


def test_one_officer_in_both_places_is_refused_whatever_the_spelling() -> None:
    with pytest.raises(SameOfficerError):
        Officers(added_by="Judge", approved_by=" judge ")


def test_a_recording_replaces_one_language_of_a_notice_and_keeps_the_other(studio: Studio, tmp_path: Path) -> None:
    order = issue_order(studio, a_draft(wanted=Wanted(languages=("en", "zh"))), at_the_command_line(utc_now()))
    with studio.engine.connect() as connection:
        before = register_notices.parts_of(connection, [order.order_id])[order.order_id][Purpose.PUBLIC]
    recording = Recording(path=a_recording(tmp_path / "notice.wav"))
    publish_notice(studio, order.order_id, Purpose.PUBLIC, ("zh", recording), OFFICERS, at_the_command_line(utc_now()))
    with studio.engine.connect() as connection:
        after = register_notices.parts_of(connection, [order.order_id])[order.order_id][Purpose.PUBLIC]
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert after[1].language == "zh"


@pytest.mark.parametrize("amplitude", [0.0, 40_000.0])
def test_a_recording_that_is_refused_leaves_the_notice_as_it_was(
    studio: Studio, tmp_path: Path, amplitude: float
) -> None:
    order = issue_order(studio, a_draft(), at_the_command_line(utc_now()))
    with studio.engine.connect() as connection:
        before = register_notices.parts_of(connection, [order.order_id])
    path = a_recording(tmp_path / "notice.wav", amplitude=min(amplitude, 32_767.0))
    if amplitude:
        path.write_bytes(b"RIFF" + path.read_bytes()[4:100])
    with pytest.raises(RecordingRefusedError):
        publish_notice(
            studio,
            order.order_id,
            Purpose.PUBLIC,
            ("en", Recording(path=path)),
            OFFICERS,
            at_the_command_line(utc_now()),
        )
    with studio.engine.connect() as connection:
        assert register_notices.parts_of(connection, [order.order_id]) == before


def test_a_person_cannot_be_given_a_public_notice(studio: Studio) -> None:
    order = issue_order(studio, a_draft(subject=NaturalPerson(name="A. Person")), at_the_command_line(utc_now()))
    with pytest.raises(WrongPurposeError, match="natural person"):
        publish_notice(
            studio, order.order_id, Purpose.PUBLIC, ("en", Text(text="No")), OFFICERS, at_the_command_line(utc_now())
        )


def test_the_same_text_is_rendered_once(studio: Studio) -> None:
    one = issue_order(studio, a_draft(subject=NaturalPerson(name="A. Person")), at_the_command_line(utc_now()))
    two = issue_order(
        studio,
        a_draft(subject=NaturalPerson(name="B. Person"), case_number="2026-CV-8"),
        at_the_command_line(utc_now()),
    )
    with studio.engine.connect() as connection:
        found = register_notices.parts_of(connection, [one.order_id, two.order_id])
    assert found[one.order_id][Purpose.OPENER] == found[two.order_id][Purpose.OPENER]
    assert found[one.order_id][Purpose.PRIVATE] != found[two.order_id][Purpose.PRIVATE]


def test_a_rendition_whose_file_was_lost_is_made_again(studio: Studio) -> None:
    order = issue_order(studio, a_draft(), at_the_command_line(utc_now()))
    with studio.engine.connect() as connection:
        lost = register_notices.parts_of(connection, [order.order_id])[order.order_id][Purpose.PUBLIC][0]
    path = studio.library.path_of(lost.mulaw, "wav")
    assert path is not None
    path.unlink()
    issue_order(studio, a_draft(case_number="2026-CV-7b"), at_the_command_line(utc_now()))
    publish_notice(
        studio,
        order.order_id,
        Purpose.PUBLIC,
        ("en", Text(text="Notice from the court about case 7.")),
        OFFICERS,
        at_the_command_line(utc_now()),
    )
    with studio.engine.connect() as connection:
        found = register_notices.parts_of(connection, [order.order_id])[order.order_id][Purpose.PUBLIC][0]
    assert studio.library.path_of(found.mulaw, "wav") is not None


def test_lifting_twice_keeps_the_first_instant(studio: Studio) -> None:
    now = utc_now()
    order = issue_order(studio, a_draft(), at_the_command_line(now))
    first = lift_order(studio.engine, studio.keys, order.order_id, at_the_command_line(now))
    assert lift_order(studio.engine, studio.keys, order.order_id, at_the_command_line(now + timedelta(days=1))) == first


def test_a_switch_needs_a_reason_and_a_district(studio: Studio) -> None:
    with pytest.raises(ReasonMissingError):
        switch_district(
            studio.engine, studio.keys, "lakeside", at_the_command_line(utc_now()), to_enabled=False, reason=" "
        )
    with pytest.raises(UnknownEntryError):
        switch_district(
            studio.engine, studio.keys, "nowhere", at_the_command_line(utc_now()), to_enabled=False, reason="test"
        )


def test_an_authority_document_is_a_pdf(tmp_path: Path) -> None:
    path = tmp_path / "order.pdf"
    path.write_bytes(b"%PDF-1.7 signed")
    assert len(read_authority(path, "Rule 69").document_sha256) == 64
    path.write_bytes(b"PK not a PDF")
    with pytest.raises(AuthorityDocumentError, match="no PDF"):
        read_authority(path, "Rule 69")
    with pytest.raises(AuthorityDocumentError, match="No such file"):
        read_authority(tmp_path / "absent.pdf", "Rule 69")


@pytest.mark.parametrize(
    ("court", "error"),
    [
        (Court(court_id="lakeside", name="x", zone="Europe/London"), TakenIdError),
        (Court(court_id="Not An Id", name="x", zone="Europe/London"), InvalidIdError),
        (Court(court_id="hillside", name="x", zone="Mars/Olympus"), UnknownZoneError),
        (Court(court_id="hillside", name="x", zone="Europe/London", warning_days=0), WarningDaysError),
    ],
)
def test_a_court_that_cannot_be_added_is_refused(studio: Studio, court: Court, error: type[GatewayError]) -> None:
    with pytest.raises(error):
        add_court(studio.engine, studio.keys, court, at_the_command_line(utc_now()))


def test_a_district_is_added_below_one_of_its_own_court(studio: Studio) -> None:
    add_court(
        studio.engine,
        studio.keys,
        Court(court_id="hillside", name="Hillside Court", zone="Europe/London"),
        at_the_command_line(utc_now()),
    )
    top = District(district_id="hillside", court_id="hillside", name="Hillside", parent_id=None, enabled=True)
    add_district(studio.engine, studio.keys, top, at_the_command_line(utc_now()))
    foreign = replace(top, district_id="hillside-north", parent_id="lakeside")
    for refused, error in ((top, TakenIdError), (foreign, ForeignParentError)):
        with pytest.raises(error):
            add_district(studio.engine, studio.keys, refused, at_the_command_line(utc_now()))


def test_the_demo_touches_no_court_that_it_did_not_make(studio: Studio) -> None:
    refuse_real_data(studio, "here", marked=True)
    with pytest.raises(RealDataError):
        refuse_real_data(studio, "here", marked=False)
    add_court(
        studio.engine,
        studio.keys,
        Court(court_id="hillside", name="Hillside Court", zone="Europe/London"),
        at_the_command_line(utc_now()),
    )
    with pytest.raises(RealDataError, match="hillside"):
        refuse_real_data(studio, "here", marked=True)


def test_loading_the_demo_again_keeps_what_others_issued(studio: Studio) -> None:
    order = issue_order(studio, a_draft(), at_the_command_line(utc_now()))
    for _ in load_demo(studio, utc_now()):
        pass
    with studio.engine.begin() as connection:
        assert orders.get(connection, order.order_id, studio.keys) == order
    assert counts(studio)[0] == 10


def test_dates_are_written_as_they_are_spoken() -> None:
    instant = utc_now().replace(year=2026, month=11, day=6)
    assert written_date(instant, "en-GB") == "6 November 2026"
    assert written_date(instant, "zh") == "2026\u5e7411\u67086\u65e5"
    assert written_date(instant, "fr") == "2026-11-06"
