"""The screen: nothing that was committed is missing, and nothing on it is ever believed without the database."""

import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, update

from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.order import OrderState
from gateway.domain.standing import NoOrders, Standing, Unavailable
from gateway.privacy.blind_index import index_line
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register import installation
from gateway.register.screen import Screen
from gateway.register.screen_filter import LineFilter
from gateway.register.tables import announcements
from gateway.register.tables import installation as installation_table
from gateway.settings import Settings
from gateway.workflows.call_desk import CallDesk, ask
from tests.builders_office import a_call_to, a_desk
from tests.conftest import Template
from tests.register.screening import KNOWN, NEW, STRANGER, a_screen, add_order, put_in_force, refresh, take_out


def _statements(engine: Engine) -> list[str]:
    """Return a list that every statement of the engine is added to from now on."""
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    return seen


def test_what_is_added_is_put_on_without_reading_everything_again(parts: Parts) -> None:
    screen = a_screen(parts)
    before, size = screen.build, screen.size
    put_in_force(parts, NEW, STRANGER)
    statements = _statements(parts.screens)
    refresh(screen, parts)
    assert screen.may_hold(NEW)
    assert screen.may_hold(STRANGER)
    assert (screen.build, screen.size) == (before, size + 2)
    assert len(statements) == 4  # The mark, what was announced, its lines, and the mark once more.
    assert not any("NOT" in each for each in statements)


def test_where_nothing_was_announced_one_mark_is_read(parts: Parts) -> None:
    screen = a_screen(parts)
    statements = _statements(parts.screens)
    refresh(screen, parts)
    assert len(statements) == 1


def test_the_lines_of_a_draft_are_not_on_the_screen(parts: Parts) -> None:
    screen = a_screen(parts)
    put_in_force(parts, NEW, state=OrderState.DRAFT)
    refresh(screen, parts)
    assert not screen.may_hold(NEW)
    assert not a_screen(parts).may_hold(NEW)


def test_a_line_that_left_the_register_falls_away_when_all_lines_are_read(parts: Parts) -> None:
    put_in_force(parts, NEW)
    screen = a_screen(parts)
    assert not screen.remembers_too_long(utc_now())
    take_out(parts, NEW)
    refresh(screen, parts)
    assert screen.may_hold(NEW)
    assert screen.remembers_too_long(utc_now())
    assert not screen.remembers_too_long(utc_now() - timedelta(hours=1))
    with parts.screens.connect() as connection:
        screen.read_all(connection)
    assert not screen.may_hold(NEW)
    assert not screen.remembers_too_long(utc_now())


def test_all_lines_are_read_when_a_change_says_so(parts: Parts) -> None:
    screen = a_screen(parts)
    before = screen.build
    with parts.studio.engine.begin() as connection:
        installation.announce(connection)
        add_order(connection, parts, NEW)
    with parts.screens.connect() as connection:
        assert not screen.catch_up(connection)
        assert screen.may_hold(NEW)  # What is added meanwhile is not late.
    refresh(screen, parts)
    assert screen.build != before
    assert screen.is_complete


@pytest.mark.parametrize("then", [(), (STRANGER,)], ids=["alone", "and this release after it"])
def test_what_an_earlier_release_announces_during_an_upgrade_is_not_missed(
    parts: Parts, then: tuple[E164, ...]
) -> None:
    """It renews the mark and adds nothing to the chain."""
    screen = a_screen(parts)
    with parts.studio.engine.begin() as connection:
        add_order(connection, parts, NEW)
        connection.execute(delete(announcements).where(announcements.c.seq > screen.position.seq))
        connection.execute(update(installation_table).values(generation=4711))
    if then:
        put_in_force(parts, *then)
    refresh(screen, parts)
    assert all(screen.may_hold(each) for each in (NEW, *then))


def test_a_screen_that_is_too_far_behind_reads_all_lines(parts: Parts) -> None:
    screen = a_screen(parts)
    put_in_force(parts, NEW)
    put_in_force(parts, STRANGER)
    with parts.studio.engine.begin() as connection:
        connection.execute(delete(announcements).where(announcements.c.seq <= screen.position.seq + 1))
    refresh(screen, parts)
    assert screen.may_hold(NEW)
    assert screen.may_hold(STRANGER)


def test_a_database_that_was_taken_back_is_noticed(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    put_in_force(parts, NEW)
    parts.studio.engine.dispose()
    old = sqlite_settings.sqlite_path.read_bytes()
    put_in_force(parts, STRANGER)
    screen = a_screen(parts)
    parts.close()
    for end in ("-wal", "-shm"):
        sqlite_settings.sqlite_path.with_name(sqlite_settings.sqlite_path.name + end).unlink(missing_ok=True)
    sqlite_settings.sqlite_path.write_bytes(old)
    other = E164("+12025550162")
    put_in_force(parts, other)
    refresh(screen, parts)
    assert [screen.may_hold(each) for each in (NEW, STRANGER, other, KNOWN)] == [True, False, True, True]
    parts.close()


def test_a_line_is_found_under_every_key_of_the_ring(parts: Parts) -> None:
    screen = a_screen(parts)
    newer = derive(bytes(range(32)))
    parts.keys.replace(KeyRing(newer, others=parts.keys.known))
    put_in_force(parts, NEW)
    refresh(screen, parts)
    assert screen.may_hold(KNOWN)
    assert screen.may_hold(NEW)
    parts.keys.replace(KeyRing(newer))
    assert screen.may_hold(NEW)
    assert not screen.may_hold(KNOWN)


def test_a_filter_that_holds_more_than_it_has_room_for_is_made_anew(parts: Parts) -> None:
    screen = a_screen(parts)
    screen.lines.add(number.to_bytes(16, "little") for number in range(screen.lines.capacity))
    assert not screen.is_complete
    refresh(screen, parts)
    assert screen.is_complete
    assert screen.may_hold(KNOWN)


@given(st.sets(st.binary(min_size=16, max_size=16), max_size=300))
def test_a_filter_never_denies_what_was_put_in(indexes: set[bytes]) -> None:
    lines_on = LineFilter.with_room_for(0)
    lines_on.add(indexes)
    assert all(each in lines_on for each in indexes)
    assert lines_on.size == len(indexes)


def test_a_full_filter_says_maybe_to_one_in_ten_thousand_at_most() -> None:
    lines_on = LineFilter.with_room_for(80_000)
    lines_on.add(index_line(E164(f"+1202{number:07d}"), _RING) for number in range(lines_on.capacity))
    wrong = sum(index_line(E164(f"+44{number:010d}"), _RING) in lines_on for number in range(50_000))
    assert wrong <= 15  # Five are to be expected; a filter that is half as good gives more than 15 nearly always.


_RING = KeyRing(derive(bytes(range(32))))


@pytest.fixture(scope="module")
def shared(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """One register for every example of a property: each works with numbers of its own."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(sqlite_template.folder, folder)
    parts = put_together(Settings(data_dir=folder))
    yield parts
    parts.close()


_NUMBERS = iter(range(10_000))


def _number() -> E164:
    return E164(f"+6137010{next(_NUMBERS):04d}")


_ACTS = st.lists(
    st.sampled_from(["add", "draft", "remove", "all", "earlier release", "refresh", "catch up", "read all", "restart"]),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=_ACTS)
def test_whatever_happened_what_was_committed_is_found_at_the_next_look(shared: Parts, acts: list[str]) -> None:
    screen, standing = a_screen(shared), list[E164]()
    for act in acts:
        match act:
            case "add":
                standing.append(_number())
                put_in_force(shared, standing[-1])
            case "draft":
                put_in_force(shared, _number(), state=OrderState.DRAFT)
            case "remove" if standing:
                take_out(shared, standing.pop())
            case "all":
                with shared.studio.engine.begin() as connection:
                    installation.announce(connection)
            case "earlier release":
                standing.append(_number())
                with shared.studio.engine.begin() as connection:
                    add_order(connection, shared, standing[-1])
                    connection.execute(delete(announcements))
            case "refresh":
                refresh(screen, shared)
            case "catch up":
                with shared.screens.connect() as connection:
                    screen.catch_up(connection)
            case "read all":
                with shared.screens.connect() as connection:
                    screen.read_all(connection)
            case "restart":
                screen = a_screen(shared)
            case _:
                pass
    refresh(screen, shared)
    assert all(screen.may_hold(each) for each in standing)


def standing_for(desk: CallDesk, line: E164) -> Standing:
    with desk.turn() as turn:
        return ask(turn, a_call_to(line.number), utc_now()).standing


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(digits=st.integers(min_value=0, max_value=9_999))
def test_the_screen_alone_never_makes_a_notice_play(shared: Parts, digits: int) -> None:
    """Whatever it says, the register has the last word: a line that is on it by mistake is under no order."""
    stranger = E164(f"+4420794{digits:05d}")
    desk = a_desk(shared)
    desk.screen.lines.add([index_line(stranger, shared.keys)])
    assert desk.screen.may_hold(stranger)
    assert isinstance(standing_for(desk, stranger), NoOrders)


def test_what_is_on_the_screen_is_silent_while_the_database_is_away(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    desk = a_desk(parts)
    sqlite_settings.sqlite_path.rename(sqlite_settings.data_dir / "away")
    assert desk.screen.may_hold(KNOWN)
    assert standing_for(desk, KNOWN) == Unavailable("database")
    assert isinstance(standing_for(desk, STRANGER), NoOrders)
    parts.close()


def test_a_screen_that_was_never_read_says_so(parts: Parts) -> None:
    screen = Screen(parts.keys)
    assert not screen.is_loaded
    assert not screen.is_complete
    assert screen.size == 0
