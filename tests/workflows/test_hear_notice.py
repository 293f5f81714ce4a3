"""Hearing notices before anybody is called: what is played, what is proposed, what was only just written."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.assembly import Parts
from gateway.audio.errors import TextEmptyError, TextTooLongError
from gateway.audio.waveform import Verdict
from gateway.db.metadata import metadata
from gateway.domain.notice import Purpose
from gateway.domain.rights import InCourt, InDistrict, NotAllowedError, Role
from gateway.register.errors import UnknownEntryError
from gateway.workflows.hear_notice import (
    COLUMNS,
    MOST_CHARACTERS,
    Booth,
    Played,
    PreviewBusyError,
    Proposed,
    TextToHear,
    TooManyPreviewsError,
    hear,
    preview_text,
)
from gateway.workflows.office import Office
from gateway.workflows.propose_notice import propose_notice
from gateway.workflows.publish_notice import Text
from tests.builders_office import (
    COURT,
    DISTRICT,
    NOON,
    OTHER_COURT,
    a_draft,
    a_person,
    an_approved_order,
    an_errand,
)
from tests.conftest import a_studio

CLERK = an_errand()
WORDS = "Example Haulage owes a judgment debt."


def to_hear(text: str = WORDS, *, purpose: Purpose = Purpose.PUBLIC, court_id: str = COURT) -> TextToHear:
    return TextToHear(court_id=court_id, text=text, language="en", purpose=purpose)


def files_in(office: Office) -> set[Path]:
    return set(office.studio.library.root.rglob("*.wav"))


def test_what_is_played_under_an_order_is_heard_to_the_byte(office: Office) -> None:
    order = an_approved_order(office)
    heard = hear(office, order.order_id, Played(purpose=Purpose.PUBLIC, language="en"), CLERK)
    assert heard.wav in {file.read_bytes() for file in files_in(office)}
    assert (heard.sound.is_good, heard.sound.limit, len(heard.peaks)) == (True, 20.0, COLUMNS)
    warning = hear(office, order.order_id, Played(purpose=Purpose.WARNING, language="en"), CLERK)
    assert warning.sound.limit is None
    assert warning.wav != heard.wav


def test_what_is_proposed_is_heard_before_it_is_approved(office: Office) -> None:
    order = a_draft(office, subject=a_person())
    with pytest.raises(UnknownEntryError):
        hear(office, order.order_id, Proposed(language="en"), CLERK)
    proposal = propose_notice(office, order.order_id, "en", Text(text=WORDS), CLERK)
    heard = hear(office, order.order_id, Proposed(language="en"), CLERK)
    assert (heard.purpose, heard.language) == (Purpose.PRIVATE, "en")
    path = office.studio.library.path_of(proposal.part.rendition.mulaw, "wav")
    assert path is not None
    assert heard.wav == path.read_bytes()


def test_what_is_not_there_cannot_be_heard(office: Office) -> None:
    order = an_approved_order(office)
    absent = (Played(purpose=Purpose.PUBLIC, language="zh"), Played(purpose=Purpose.PRIVATE, language="en"))
    for which in (*absent, Proposed(language="en")):
        with pytest.raises(UnknownEntryError):
            hear(office, order.order_id, which, CLERK)
    for file in files_in(office):
        file.unlink()
    with pytest.raises(UnknownEntryError, match="file of the rendition"):
        hear(office, order.order_id, Played(purpose=Purpose.PUBLIC, language="en"), CLERK)


def test_only_who_may_read_an_order_hears_its_notices(office: Office) -> None:
    order, which = an_approved_order(office), Played(purpose=Purpose.PUBLIC, language="en")
    for role in (Role.CLERK, Role.APPROVER, Role.AUDITOR):
        assert hear(office, order.order_id, which, an_errand(role)).wav
    for errand in (an_errand(scope=InCourt(court_id=OTHER_COURT)), an_errand(Role.OPERATOR)):
        with pytest.raises(UnknownEntryError):
            hear(office, order.order_id, which, errand)


def test_a_text_is_heard_as_its_proposal_will_be_and_leaves_nothing_behind(office: Office) -> None:
    def rows() -> dict[str, int]:
        with office.engine.connect() as connection:
            count = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
            return {name: connection.execute(statement).scalar_one() for name, statement in count.items()}

    order = a_draft(office)
    before, files = rows(), files_in(office)
    preview = preview_text(office, Booth(), to_hear(), CLERK)
    assert (rows(), files_in(office)) == (before, files)
    propose_notice(office, order.order_id, "en", Text(text=WORDS), CLERK)
    assert hear(office, order.order_id, Proposed(language="en"), CLERK) == preview


def test_a_text_that_would_be_refused_for_its_length_is_heard_with_a_verdict(parts: Parts) -> None:
    office = replace(parts.office, studio=a_studio(parts, seconds=21))
    public = preview_text(office, Booth(), to_hear(), CLERK).sound
    assert (public.length, public.limit) == (Verdict.TOO_LONG, 20.0)
    private = preview_text(office, Booth(), to_hear(purpose=Purpose.PRIVATE), CLERK).sound
    assert (private.length, private.limit) == (Verdict.GOOD, None)


def test_only_who_drafts_in_a_court_has_texts_spoken_for_it(office: Office) -> None:
    booth = Booth()
    below = an_errand(scope=InDistrict(court_id=COURT, district_id=DISTRICT))
    assert preview_text(office, booth, to_hear(), below).wav
    for role in (Role.APPROVER, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowedError, match="orders:draft"):
            preview_text(office, booth, to_hear(), an_errand(role))
    for court_id in (OTHER_COURT, "nowhere"):
        with pytest.raises(UnknownEntryError):
            preview_text(office, booth, to_hear(court_id=court_id), CLERK)


def test_a_text_without_words_or_without_end_is_refused_before_it_is_spoken(office: Office) -> None:
    booth = Booth(per_minute=1)
    for text, error in (("...", TextEmptyError), ("order " * MOST_CHARACTERS, TextTooLongError)):
        with pytest.raises(error):
            preview_text(office, booth, to_hear(text), CLERK)
    assert preview_text(office, booth, to_hear(), CLERK).wav


def test_each_officer_hears_so_many_texts_a_minute() -> None:
    booth = Booth(per_minute=2)
    for second in (0, 30):
        with booth.place("per_one", NOON + timedelta(seconds=second)):
            pass
    with pytest.raises(TooManyPreviewsError) as refused, booth.place("per_one", NOON + timedelta(seconds=45)):
        pass
    assert refused.value.retry_after == 15
    for who, second in (("per_two", 45), ("per_one", 60)):
        with booth.place(who, NOON + timedelta(seconds=second)):
            pass


def test_only_so_many_texts_are_spoken_at_once() -> None:
    booth, inside, leave = Booth(at_once=1), threading.Event(), threading.Event()

    def occupy() -> None:
        with booth.place("per_one", NOON):
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=occupy)
    other.start()
    assert inside.wait(10)
    with pytest.raises(PreviewBusyError), booth.place("per_two", NOON):
        pass
    leave.set()
    other.join()
    with booth.place("per_two", NOON):
        pass
