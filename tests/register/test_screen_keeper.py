"""The keeper: loaded before traffic, current within the bound, one reading for all workers, calm when things break."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.privacy.blind_index import index_line
from gateway.register import installation
from gateway.register.screen import Screen
from gateway.register.screen_copy import head_of
from gateway.register.screen_keeper import ScreenKeeper
from gateway.settings import Settings
from tests.register.screening import (
    BOUND_SECONDS,
    KNOWN,
    NEW,
    STRANGER,
    a_screen,
    a_shelf,
    kept,
    put_in_force,
    take_out,
    until,
)

NONE_ARE_FEW = -1


@dataclass
class Clock:
    """A clock that a test moves on."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def test_the_screen_stands_before_the_keeper_has_returned(parts: Parts) -> None:
    with kept(parts) as screen:
        assert screen.is_loaded
        assert screen.may_hold(KNOWN)


def test_an_addition_is_seen_by_every_worker_within_two_seconds(parts: Parts) -> None:
    with kept(parts, every=0.2) as one, kept(parts, every=0.2) as other:
        put_in_force(parts, NEW)
        began = time.monotonic()
        assert until(lambda: one.may_hold(NEW) and other.may_hold(NEW))
        assert time.monotonic() - began < BOUND_SECONDS


def test_the_second_worker_takes_what_the_first_one_read(parts: Parts) -> None:
    with kept(parts) as one, kept(parts) as other:
        assert one.build == other.build
        put_in_force(parts, NEW)
        assert until(lambda: one.may_hold(NEW) and other.may_hold(NEW))
        with parts.studio.engine.begin() as connection:
            installation.announce(connection)
        before = one.build
        assert until(lambda: before not in {one.build, other.build}, seconds=10)
        assert until(lambda: one.build == other.build, seconds=10)


def test_a_worker_waits_for_another_one_that_is_reading(parts: Parts) -> None:
    """Whoever has the lock will have written a copy when the lock is free."""
    shelf = a_shelf(parts)
    lock = shelf.lock()
    assert lock is not None
    screen = Screen(parts.keys)
    keeper = ScreenKeeper(screen, parts.screens, every=0.05, failed=_unexpected, shelf=a_shelf(parts))
    starting = threading.Thread(target=keeper.start)
    starting.start()
    starting.join(0.3)
    assert starting.is_alive()
    assert not screen.is_loaded
    other = a_screen(parts)
    with parts.screens.connect() as connection:
        shelf.put(other, connection)
    lock.release()
    starting.join(10)
    keeper.stop()
    assert screen.build == other.build


def test_many_lines_are_read_by_a_program_of_their_own(parts: Parts) -> None:
    put_in_force(parts, NEW)
    with kept(parts, few=NONE_ARE_FEW) as screen:
        assert until(lambda: screen.is_loaded, seconds=20)
        assert screen.size == a_screen(parts).size
        assert [screen.may_hold(each) for each in (KNOWN, NEW, STRANGER)] == [True, True, False]
        before = screen.build
        with parts.studio.engine.begin() as connection:
            installation.announce(connection)
        put_in_force(parts, STRANGER)
        assert until(lambda: screen.may_hold(STRANGER))
        assert until(lambda: screen.build != before, seconds=20)
        assert screen.may_hold(STRANGER)


def test_a_program_that_fails_leaves_the_screen_as_it_is_and_is_noted(sqlite_settings: Settings) -> None:
    """A copy that cannot be written: its name is taken by a folder."""
    parts = put_together(sqlite_settings)
    failures: list[Exception] = []
    with kept(parts, few=NONE_ARE_FEW, failures=failures) as screen:
        (sqlite_settings.screen_dir / "lines").unlink()
        (sqlite_settings.screen_dir / "lines").mkdir()
        before = screen.build
        with parts.studio.engine.begin() as connection:
            installation.announce(connection)
        put_in_force(parts, NEW)
        assert until(lambda: screen.may_hold(NEW))
        assert until(lambda: any("status" in str(each) for each in failures), seconds=20)
        assert screen.build == before
        assert screen.may_hold(KNOWN)
    parts.close()


def test_a_start_without_the_database_uses_the_copy_and_catches_up_when_it_is_back(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    with kept(parts):
        pass
    put_in_force(parts, NEW)
    parts.close()
    away = sqlite_settings.data_dir / "away"
    sqlite_settings.sqlite_path.rename(away)
    failures: list[Exception] = []
    with kept(parts, failures=failures) as screen:
        assert screen.is_loaded
        assert screen.may_hold(KNOWN)
        assert not screen.may_hold(STRANGER)
        assert failures
        away.rename(sqlite_settings.sqlite_path)
        assert until(lambda: screen.may_hold(NEW))
    parts.close()


def test_a_start_without_the_database_and_without_a_copy_is_loaded_when_it_is_back(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    away = sqlite_settings.data_dir / "away"
    sqlite_settings.sqlite_path.rename(away)
    failures: list[Exception] = []
    with kept(parts, failures=failures) as screen:
        assert not screen.is_loaded
        away.rename(sqlite_settings.sqlite_path)
        assert until(lambda: screen.may_hold(KNOWN))
    parts.close()


def test_a_damaged_copy_is_noted_and_written_anew(parts: Parts) -> None:
    with kept(parts):
        pass
    path = parts.settings.screen_dir / "lines"
    path.write_bytes(path.read_bytes()[:-1])
    failures: list[Exception] = []
    with kept(parts, failures=failures) as screen:
        assert screen.may_hold(KNOWN)
        assert [type(each).__name__ for each in failures] == ["ScreenCopyError"]
        assert head_of(path).build == screen.build


def test_a_folder_that_cannot_be_written_to_keeps_nobody_from_reading(sqlite_settings: Settings) -> None:
    parts = put_together(sqlite_settings)
    sqlite_settings.screen_dir.write_text("in the way", encoding="utf-8")
    failures: list[Exception] = []
    with kept(parts, failures=failures) as screen:
        assert screen.may_hold(KNOWN)
        put_in_force(parts, NEW)
        assert until(lambda: screen.may_hold(NEW))
    assert failures
    parts.close()


def test_the_copy_is_renewed_so_that_a_later_start_knows_of_new_lines(parts: Parts) -> None:
    with kept(parts):
        pass
    put_in_force(parts, NEW)
    with kept(parts) as screen:
        assert until(lambda: head_of(parts.settings.screen_dir / "lines").position == screen.position)
        assert screen.may_hold(NEW)
    later = Screen(parts.keys)
    a_shelf(parts).take_over(later, None)
    assert later.may_hold(NEW)


def test_lines_that_left_the_register_are_forgotten_after_a_day(parts: Parts) -> None:
    put_in_force(parts, NEW)
    clock = Clock(utc_now())
    screen = Screen(parts.keys, clock=clock)
    keeper = ScreenKeeper(screen, parts.screens, every=0.05, failed=_unexpected, shelf=a_shelf(parts), clock=clock)
    keeper.start()
    take_out(parts, NEW)
    clock.now += timedelta(hours=23)
    assert not until(lambda: not screen.may_hold(NEW), seconds=0.5)
    clock.now += timedelta(hours=2)
    assert until(lambda: not screen.may_hold(NEW), seconds=10)
    keeper.stop()
    assert index_line(KNOWN, parts.keys) in screen.lines


def test_calls_go_on_while_a_copy_is_taken_over(parts: Parts) -> None:
    """No look-up waits for a lock, and none is answered wrongly by a screen that is half the old and half the new."""
    put_in_force(parts, NEW)
    with kept(parts) as screen:
        denied, stop = list[E164](), threading.Event()

        def call() -> None:
            while not stop.is_set():
                denied.extend(each for each in (KNOWN, NEW) if not screen.may_hold(each))

        calling = threading.Thread(target=call)
        calling.start()
        for _ in range(5):
            before = screen.build
            with parts.studio.engine.begin() as connection:
                installation.announce(connection)
            assert until(lambda before=before: screen.build != before, seconds=10)  # type: ignore[misc]
        stop.set()
        calling.join()
        assert denied == []


_FORKED = """
import json, os, sys, time
from gateway.assembly import put_together
from gateway.domain.e164 import E164
from gateway.register.screen import Screen
from gateway.register.screen_keeper import ScreenKeeper
from gateway.register.screen_shelf import Shelf
from gateway.settings import Settings

stated = json.load(sys.stdin)
parts = put_together(Settings(data_dir=stated["folder"], database_url=stated["url"]))
screen = Screen(parts.keys)
shelf = Shelf(parts.settings.screen_dir, parts.screens, parts.keys)
keeper = ScreenKeeper(screen, parts.screens, every=0.05, failed=lambda error: None, shelf=shelf)
keeper.start()
time.sleep(0.3)
child = os.fork()
sys.stdout.write(f"{'parent' if child else 'child'} ready\\n")
sys.stdout.flush()
deadline = time.monotonic() + 20
while not screen.may_hold(E164(stated["number"])) and time.monotonic() < deadline:
    time.sleep(0.01)
found = screen.may_hold(E164(stated["number"]))
if child:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    keeper.stop()
    sys.exit(status or (0 if found else 1))
os._exit(0 if found else 1)
"""


def test_a_worker_that_was_forked_from_a_loaded_one_goes_on_keeping_its_screen(parts: Parts) -> None:
    """As with gunicorn's preload_app. Parent and child both learn of what comes later, each on its own connections."""
    with kept(parts):
        pass
    stated = {"folder": str(parts.settings.data_dir), "url": parts.settings.database_url, "number": NEW.number}
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(stated))
    process.stdin.close()
    assert {process.stdout.readline(), process.stdout.readline()} == {"parent ready\n", "child ready\n"}
    put_in_force(parts, NEW)
    try:
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _unexpected(error: Exception) -> None:
    pytest.fail(str(error))
