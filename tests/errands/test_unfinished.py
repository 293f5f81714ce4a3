"""Unfinished forms as they are kept: whole, encrypted, bounded, one person's, and for a time."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from gateway.assembly import Parts
from gateway.domain.errors import StaleVersionError
from gateway.errands import unfinished
from gateway.errands.tables import unfinished_forms
from gateway.errands.unfinished import (
    LIFETIMES,
    MOST_BYTES,
    MOST_FORMS,
    FormContent,
    FormKind,
    FormTooLargeError,
    TooManyFormsError,
    Unfinished,
    UnknownFormError,
)

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ADA, BEN = "per_ada", "per_ben"
DRAFT, INTERRUPTED = FormKind.DRAFT_ORDER, FormKind.INTERRUPTED
TYPED = FormContent(
    path="/console/orders/new",
    fields=(("line", "+12025550110"), ("name", "Jo Bloggs"), ("name", "约翰"), ("note", 'a "quote"\r\nand a line')),
)
MICROSECOND = timedelta(microseconds=1)

Keep = Callable[..., Unfinished]


@pytest.fixture
def connection(blank: Parts) -> Iterator[Connection]:
    with blank.studio.engine.begin() as opened:
        yield opened


@pytest.fixture
def keep(connection: Connection, blank: Parts) -> Keep:
    def keep_one(
        kind: FormKind = DRAFT, content: FormContent = TYPED, person_id: str = ADA, now: datetime = NOW
    ) -> Unfinished:
        return unfinished.add(connection, blank.keys, person_id, kind, content, now)

    return keep_one


def test_a_form_comes_back_as_it_was_typed_with_every_field_in_its_order(
    connection: Connection, blank: Parts, keep: Keep
) -> None:
    form_id = keep().form_id
    found = unfinished.get(connection, blank.keys, ADA, form_id, NOW)
    assert found.content == TYPED
    assert (found.version, found.kept_at, found.expires_at) == (1, NOW, NOW + LIFETIMES[DRAFT])
    assert "Bloggs" not in repr(found)


def test_what_was_typed_stands_encrypted(connection: Connection, keep: Keep) -> None:
    keep()
    stored = repr(connection.execute(select(unfinished_forms)).one())
    assert ADA in stored
    for typed in ("Bloggs", "2025550110", "console"):
        assert typed not in stored


def test_a_form_is_there_until_its_time_is_over_and_for_its_person_only(
    connection: Connection, blank: Parts, keep: Keep
) -> None:
    form = keep(INTERRUPTED)
    end = NOW + timedelta(days=1)
    assert unfinished.get(connection, blank.keys, ADA, form.form_id, end - MICROSECOND) == form
    for person_id, form_id, now in ((ADA, form.form_id, end), (BEN, form.form_id, NOW), (ADA, "frm_nowhere", NOW)):
        with pytest.raises(UnknownFormError):
            unfinished.get(connection, blank.keys, person_id, form_id, now)
    assert unfinished.of_person(connection, blank.keys, BEN, None, NOW) == ()
    assert unfinished.of_person(connection, blank.keys, ADA, None, end) == ()
    assert not unfinished.drop(connection, BEN, form.form_id)
    assert unfinished.drop(connection, ADA, form.form_id)
    assert not unfinished.drop(connection, ADA, form.form_id)


def test_a_list_has_the_one_that_was_kept_last_first_and_of_one_kind_where_asked(
    connection: Connection, blank: Parts, keep: Keep
) -> None:
    first, second, third = (
        keep(kind, now=NOW + timedelta(minutes=minute)) for minute, kind in enumerate((DRAFT, INTERRUPTED, DRAFT))
    )
    later = NOW + timedelta(hours=1)
    assert unfinished.of_person(connection, blank.keys, ADA, None, later) == (third, second, first)
    assert unfinished.of_person(connection, blank.keys, ADA, DRAFT, later) == (third, first)
    again = unfinished.replace(connection, blank.keys, first, TYPED, None, later)
    assert unfinished.of_person(connection, blank.keys, ADA, DRAFT, later) == (again, third)


def test_who_keeps_a_form_that_was_kept_since_is_told_and_nothing_is_lost(
    connection: Connection, blank: Parts, keep: Keep
) -> None:
    form = keep()
    newer = FormContent(path=TYPED.path, fields=(("line", "+12025550111"),))
    later = NOW + timedelta(days=29)
    second = unfinished.replace(connection, blank.keys, form, newer, form.version, later)
    assert (second.version, second.content, second.expires_at) == (2, newer, later + LIFETIMES[DRAFT])
    with pytest.raises(StaleVersionError):
        unfinished.replace(connection, blank.keys, form, TYPED, form.version, later)
    assert unfinished.get(connection, blank.keys, ADA, form.form_id, later) == second
    assert unfinished.replace(connection, blank.keys, second, TYPED, None, later).version == 3
    unfinished.drop(connection, ADA, form.form_id)
    with pytest.raises(UnknownFormError):
        unfinished.replace(connection, blank.keys, second, TYPED, second.version, later)


def test_a_form_may_have_256_kb_and_not_one_byte_more(keep: Keep) -> None:
    empty = len('{"path":"/p","fields":[["note",""]]}')
    largest = FormContent(path="/p", fields=(("note", "约" * ((MOST_BYTES - empty) // 3)),))
    assert keep(content=largest).content == largest
    room = (MOST_BYTES - empty) % 3
    with pytest.raises(FormTooLargeError):
        keep(content=FormContent(path="/p", fields=(("note", largest.fields[0][1] + "x" * (room + 1)),)))


def test_half_a_character_stops_no_form(keep: Keep) -> None:
    assert keep(content=FormContent(path="/p", fields=(("note", "a\ud800b"),))).content.fields == (("note", "a?b"),)


def test_the_oldest_interrupted_form_gives_way_and_a_draft_never_does(
    connection: Connection, blank: Parts, keep: Keep
) -> None:
    def kinds() -> list[FormKind]:
        return [each.kind for each in unfinished.of_person(connection, blank.keys, ADA, None, NOW)]

    drafts = [keep() for _ in range(MOST_FORMS - 2)]
    older, newer = keep(INTERRUPTED), keep(INTERRUPTED, now=NOW + MICROSECOND)
    keep(person_id=BEN)
    drafts.append(keep())
    assert (len(kinds()), kinds().count(INTERRUPTED)) == (MOST_FORMS, 1)
    with pytest.raises(UnknownFormError):
        unfinished.get(connection, blank.keys, ADA, older.form_id, NOW)
    assert unfinished.get(connection, blank.keys, ADA, newer.form_id, NOW) == newer
    drafts.append(keep())
    for kind in FormKind:
        with pytest.raises(TooManyFormsError, match="drop one"):
            keep(kind)
    assert kinds() == [DRAFT] * MOST_FORMS
    unfinished.drop(connection, ADA, drafts[0].form_id)
    keep(INTERRUPTED)


def test_drafts_whose_time_is_over_take_no_room(connection: Connection, blank: Parts, keep: Keep) -> None:
    for _ in range(MOST_FORMS):
        keep()
    later = NOW + LIFETIMES[DRAFT]
    form = keep(now=later)
    assert unfinished.of_person(connection, blank.keys, ADA, None, later) == (form,)


def test_forms_are_forgotten_when_their_time_is_over_and_not_before(
    connection: Connection, blank: Parts, keep: Keep
) -> None:
    draft, _ = keep(), keep(INTERRUPTED)
    assert unfinished.forget(connection, NOW + timedelta(days=1) - MICROSECOND) == 0
    assert unfinished.forget(connection, NOW + timedelta(days=1)) == 1
    assert unfinished.of_person(connection, blank.keys, ADA, None, NOW) == (draft,)
    assert unfinished.forget(connection, NOW + timedelta(days=30)) == 1
