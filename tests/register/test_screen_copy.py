"""The saved copy: whole or refused, of this database and these keys or refused, and never the last word."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.privacy.blind_index import line_index
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register import installation
from gateway.register.screen import Screen
from gateway.register.screen_changes import Position
from gateway.register.screen_copy import Copy, Head, Origin, ScreenCopyError, head_of, opened, write
from gateway.register.screen_filter import LineFilter
from gateway.register.screen_shelf import Shelf
from tests.register.screening import KNOWN, NEW, STRANGER, a_screen, a_shelf, put_in_force

HEAD = Head(
    build="one",
    built_at=utc_now(),
    origin=Origin(database="sqlite://:/there", key_id="k"),
    position=Position(generation=7, seq=3),
    has_removed=True,
)


def _save(parts: Parts, screen: Screen) -> Path:
    with parts.screens.connect() as connection:
        a_shelf(parts).put(screen, connection)
    return parts.settings.screen_dir / "lines"


@pytest.fixture
def copy(parts: Parts) -> Path:
    """A copy of the demo's screen."""
    parts.settings.screen_dir.mkdir()
    return _save(parts, a_screen(parts))


def _take_over(parts: Parts, screen: Screen, *, away: bool = False, shelf: Shelf | None = None) -> bool:
    shelf = shelf or a_shelf(parts)
    if away:
        return shelf.take_over(screen, None)
    with parts.screens.connect() as connection:
        return shelf.take_over(screen, connection)


@settings(max_examples=30, deadline=None)
@given(indexes=st.sets(st.binary(min_size=16, max_size=16), max_size=100))
def test_what_is_read_from_a_copy_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, indexes: set[bytes]
) -> None:
    path = tmp_path_factory.mktemp("copy") / "lines"
    lines = LineFilter.with_room_for(0)
    lines.add(indexes)
    write(path, HEAD, lines)
    with opened(path) as found:
        shards = list(found.shards())
    assert found.head == HEAD == head_of(path)
    assert (found.size, found.capacity, found.hashes) == (lines.size, lines.capacity, lines.hashes)
    assert shards == [each.get_bytes() for each in lines.shards]
    assert [each.name for each in path.parent.iterdir()] == ["lines"]


def test_a_copy_is_taken_over_with_what_was_announced_since(parts: Parts, copy: Path) -> None:
    put_in_force(parts, NEW)
    screen = Screen(parts.keys)
    assert _take_over(parts, screen)
    assert screen.build == head_of(copy).build
    assert [screen.may_hold(each) for each in (KNOWN, NEW, STRANGER)] == [True, True, False]
    assert screen.size == a_screen(parts).size


@pytest.mark.usefixtures("copy")
def test_a_copy_is_taken_over_as_it_is_while_the_database_is_away_and_caught_up_later(parts: Parts) -> None:
    put_in_force(parts, NEW)
    screen = Screen(parts.keys)
    assert _take_over(parts, screen, away=True)
    assert screen.is_loaded
    assert screen.may_hold(KNOWN)
    assert not screen.may_hold(NEW)
    with parts.screens.connect() as connection:
        assert screen.catch_up(connection)
    assert screen.may_hold(NEW)


def test_a_copy_that_all_lines_were_announced_after_is_of_no_use(parts: Parts, copy: Path) -> None:
    with parts.studio.engine.begin() as connection:
        installation.announce(connection)
    screen = Screen(parts.keys)
    assert copy.exists()
    assert not _take_over(parts, screen)
    assert not screen.is_loaded


@pytest.mark.usefixtures("copy")
def test_a_worker_looks_at_each_copy_once_and_keeps_its_own(parts: Parts) -> None:
    screen, shelf = Screen(parts.keys), a_shelf(parts)
    assert _take_over(parts, screen, shelf=shelf)
    assert not _take_over(parts, screen, shelf=shelf)
    assert not _take_over(parts, screen)
    other = a_screen(parts)
    _save(parts, other)
    assert _take_over(parts, screen, shelf=shelf)
    assert screen.build == other.build


def test_a_screen_in_use_that_takes_a_copy_over_never_denies_a_line(parts: Parts, copy: Path) -> None:
    put_in_force(parts, NEW)
    screen = a_screen(parts)
    screen.lines.add(number.to_bytes(16, "little") for number in range(100))
    assert copy.exists()
    assert _take_over(parts, screen)
    assert screen.may_hold(KNOWN)
    assert screen.may_hold(NEW)
    assert not any(number.to_bytes(16, "little") in screen.lines for number in range(100))


def test_a_damaged_copy_is_refused_wherever_the_damage_is(parts: Parts, copy: Path) -> None:
    whole = copy.read_bytes()
    for place in (0, 40, len(whole) // 2, len(whole) - 1):
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ScreenCopyError):
            _take_over(parts, Screen(parts.keys))
    for length in (0, 10, 200, len(whole) - 1):
        copy.write_bytes(whole[:length])
        with pytest.raises(ScreenCopyError):
            _take_over(parts, Screen(parts.keys))


def test_a_copy_of_another_database_or_of_other_keys_is_refused(parts: Parts, copy: Path) -> None:
    lines = a_screen(parts).lines
    head = head_of(copy)
    write(copy, replace(head, origin=Origin(database="elsewhere", key_id=head.origin.key_id)), lines)
    with pytest.raises(ScreenCopyError, match="another database"):
        _take_over(parts, Screen(parts.keys), away=True)
    write(copy, head, lines)
    parts.keys.replace(KeyRing(derive(bytes(range(32)))))
    with pytest.raises(ScreenCopyError, match="other keys"):
        _take_over(parts, Screen(parts.keys), away=True)


def test_a_copy_of_another_register_under_the_same_address_is_found_out_when_it_answers(
    parts: Parts, copy: Path
) -> None:
    """The address and the key may be the same after a restore; the chain of announcements is not."""
    head = head_of(copy)
    elsewhere = replace(head, position=Position(generation=11, seq=head.position.seq))
    write(copy, elsewhere, LineFilter.with_room_for(0))
    screen = Screen(parts.keys)
    assert not _take_over(parts, screen)
    assert _take_over(parts, screen, away=True)
    assert not screen.may_hold(KNOWN)
    with parts.screens.connect() as connection:
        assert not screen.catch_up(connection)
        screen.refresh(connection)
    assert screen.may_hold(KNOWN)


def test_a_copy_tells_no_password_and_no_number(parts: Parts, copy: Path) -> None:
    stated = copy.read_bytes().splitlines()[1]
    assert set(json.loads(stated)) == {
        "build",
        "built_at",
        "database",
        "key_id",
        "generation",
        "seq",
        "has_removed",
        "capacity",
        "hashes",
        "size",
        "shard_bytes",
    }
    assert KNOWN.number.encode() not in copy.read_bytes()
    assert copy.stat().st_mode & 0o077 == 0
    assert parts.keys.key_id.encode() in stated


def test_a_copy_that_cannot_be_written_leaves_the_one_that_is_there(parts: Parts, copy: Path) -> None:
    before = copy.read_bytes()
    (copy.parent / f".{copy.name}.{os.getpid()}").mkdir()
    with pytest.raises(OSError, match="directory"):
        _save(parts, a_screen(parts))
    assert copy.read_bytes() == before


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(Copy):
    """A copy that lets a test look between any two shards of it."""

    look: Callable[[], object]

    def shards(self) -> Iterator[bytes]:
        for bits in Copy.shards(self):
            self.look()
            yield bits


@pytest.mark.parametrize("number", range(8))
def test_a_line_whose_index_changes_with_the_key_is_on_the_screen_all_the_while(tmp_path: Path, number: int) -> None:
    line = E164(f"+1202555010{number}")
    old, new = derive(bytes(range(32))), derive(bytes(range(1, 33)))
    ring = KeyRing(new, others=(old,))
    screen, rewritten = Screen(ring), LineFilter.with_room_for(0)
    screen.lines.add([line_index(line, old)])
    rewritten.add([line_index(line, new)])
    write(tmp_path / "lines", HEAD, rewritten)
    seen: list[bool] = []
    with opened(tmp_path / "lines") as found:
        stated = {each.name: getattr(found, each.name) for each in fields(found)}
        screen.adopt(Watched(**stated, look=lambda: seen.append(screen.may_hold(line))), None)
    assert len(seen) > 1
    assert all(seen)
    assert screen.may_hold(line)
    assert not Screen(ring).may_hold(line)
