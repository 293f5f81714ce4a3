"""A rotation while calls come in: nobody who calls, and nobody who is called, can tell that there was one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.app import create_app
from gateway.assembly import Parts, put_together
from gateway.audit.tables import plays, trail
from gateway.audit.tags import Tag
from gateway.domain.e164 import E164
from gateway.domain.standing import Ground
from gateway.privacy import key_file
from gateway.privacy.blind_index import index_line
from gateway.register.tables import disputes, lines
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.rotate_keys import stale_rows
from tests.cli.command_line import CommandLine, over
from tests.end_to_end.issuing import a_person, an_issued_order
from tests.telephone import Telephone, a_call_sid, child, prompts_in, xml

PUBLIC, WARNED, LIFTED, OFF = "+12025550110", "+12025550111", "+12025550130", "+12025550140"
WRONG = tuple(f"+4420794603{number:02}" for number in range(8))
CONTESTED = tuple(f"+4420794604{number:02}" for number in range(4))
CAPPED = "+442079460500"
SETTLE = "0.8"


@contextmanager
def workers(settings: Settings, count: int = 2) -> Iterator[tuple[Telephone, ...]]:
    """Answer calls with several workers, each of which learns of keys and lines at its own time."""
    with ExitStack() as stack:
        telephones = []
        for _ in range(count):
            app = create_app(settings)
            stack.callback(app.extensions["notice_gateway"].stop)
            telephones.append(Telephone(app=app, origin=settings.public_origin, token=DEMO_TOKEN))
        yield tuple(telephones)


@dataclass(kw_only=True)
class Traffic:
    """What threads that call are told (to stop), and what they tell: how often they called, and what was wrong."""

    stop: threading.Event = field(default_factory=threading.Event)
    calls: int = 0
    waits: int = 0
    faults: list[str] = field(default_factory=list)

    def demand(self, truth: object, what: str) -> None:
        self.calls += 1
        if not truth:
            self.faults.append(what)

    def demand_at_once(self, is_true: Callable[[], object], what: str) -> None:
        """Demand what a busy disk may keep from one call, for calls do not wait for more than a quarter of a second."""
        if not is_true():
            self.waits += 1
            self.demand(is_true(), what)
        else:
            self.calls += 1


def is_played(telephone: Telephone, line: str) -> bool:
    return len(prompts_in(telephone.call(line, sid=a_call_sid()))) > 0


def is_whispered(telephone: Telephone, line: str) -> bool:
    return b"/twilio/whisper" in telephone.call(line, sid=a_call_sid()).data


def call_demo_lines(telephones: Sequence[Telephone], traffic: Traffic) -> None:
    """Call lines that have a notice and lines that have none, each worker in turn, until told to stop."""
    for telephone in cycle(telephones):
        if traffic.stop.is_set():
            return
        traffic.demand_at_once(partial(is_played, telephone, PUBLIC), "the public notice was not played")
        traffic.demand_at_once(partial(is_whispered, telephone, WARNED), "the warning was not played")
        for line in (LIFTED, OFF):
            answer = telephone.call(line, sid=a_call_sid()).data
            traffic.demand(b"/prompts/" not in answer and b"whisper" not in answer, f"{line[-4:]} was not silent")


def press_keys(telephones: Sequence[Telephone], lines_and_keys: Sequence[tuple[str, str]], traffic: Traffic) -> None:
    """Call one person after another, who presses a key at the opener or the content; then call again.

    A register that is too slow for a call says nothing, and confirms nothing: that person presses in the next call.
    """
    takes_turn = cycle(telephones)
    for line, keys in lines_and_keys:
        for _ in range(2):
            sid = a_call_sid()
            listening = next(takes_turn).answer(next(takes_turn).call(line, sid=sid), sid)
            for key in keys:
                if prompts_in(listening):
                    listening = next(takes_turn).press(listening, key, child(sid))
                    time.sleep(0.05)
            if prompts_in(listening):
                break
            traffic.waits += 1
        for telephone in telephones:
            traffic.demand(not is_whispered(telephone, line), "a suspended line was spoken to")


def exhaust_cap(telephones: Sequence[Telephone], traffic: Traffic, heard: list[str]) -> None:
    """Call one person again and again."""
    for telephone in cycle(telephones):
        if traffic.stop.is_set():
            return
        sid = a_call_sid()
        dialled = telephone.call(CAPPED, sid=sid)
        if xml(dialled).xpath("//Number/@url"):
            heard.extend(prompts_in(telephone.answer(dialled, sid)))
        time.sleep(0.15)


def in_thread(traffic: Traffic, work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  (what goes wrong in a thread is the test's to tell)
            traffic.faults.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def grounds(parts: Parts) -> dict[str, str]:
    """Return the ground of each dispute, by the index of its line."""
    with parts.studio.engine.connect() as connection:
        rows = connection.execute(
            select(lines.c.line_index, lines.c.ground, disputes.c.ground.label("disputed")).join(
                disputes, disputes.c.line_id == lines.c.line_id
            )
        ).all()
    assert all(row.ground == row.disputed for row in rows)
    return {row.line_index.hex(): row.ground for row in rows}


def test_calls_keys_and_caps_go_on_through_a_rotation(parts: Parts) -> None:
    settings = parts.settings
    for line in (*WRONG, *CONTESTED, CAPPED):
        an_issued_order(parts, line, about=a_person())
    commands = over(settings.data_dir, settings.database_url)
    traffic, heard = Traffic(), list[str]()
    wishes = [(line, "9") for line in WRONG] + [(line, "13") for line in CONTESTED]
    with workers(settings) as telephones:
        threads = [
            in_thread(traffic, lambda: call_demo_lines(telephones, traffic)),
            in_thread(traffic, lambda: press_keys(telephones, wishes, traffic)),
            in_thread(traffic, lambda: exhaust_cap(telephones, traffic, heard)),
        ]
        printed = commands.succeed("keys", "rotate", "--settle", SETTLE, "--rows", "2", "--rest", "4")
        threads[1].join(timeout=60)
        time.sleep(0.5)
        traffic.stop.set()
        for thread in threads:
            thread.join(timeout=60)
        held = [telephone.app.extensions["notice_gateway"].parts.keys.key_id for telephone in telephones]
    assert traffic.faults == []
    assert traffic.calls > 100
    assert traffic.waits < traffic.calls / 50
    assert len(heard) == 3
    after = put_together(settings)
    assert f"key {after.keys.key_id}" in printed
    assert held == [after.keys.key_id] * 2
    assert stale_rows(after.studio.engine, after.keys) == {}
    by_line = {line: grounds(after).get(index_line(E164(line), after.keys).hex()) for line in (*WRONG, *CONTESTED)}
    after.close()
    assert set(by_line.items()) == {(line, Ground.WRONG_PERSON.value) for line in WRONG} | {
        (line, Ground.CONTESTED.value) for line in CONTESTED
    }


def test_a_call_that_began_under_the_old_key_ends_under_the_new_one(parts: Parts) -> None:
    line = WRONG[0]
    an_issued_order(parts, line, about=a_person())
    with workers(parts.settings, 1) as (telephone,):
        sid = a_call_sid()
        dialled = telephone.call(line, sid=sid)
        opener = telephone.answer(dialled, sid)
        over(parts.settings.data_dir, parts.settings.database_url).succeed("keys", "rotate", "--settle", SETTLE)
        content = telephone.press(opener, "1", child(sid))
        assert prompts_in(content)
        telephone.press(content, "2", child(sid))
    with parts.studio.engine.connect() as connection:
        rows = connection.execute(select(plays.c.purpose, plays.c.key).order_by(plays.c.purpose)).all()
        assert [tuple(row) for row in rows] == [("opener", "1"), ("private", "2")]


KILL_AFTER = (0.3, 1.2, 2.2, 3.0)


@pytest.mark.parametrize("seconds", KILL_AFTER)
def test_a_rotation_that_is_killed_goes_on_when_the_command_is_given_again(parts: Parts, seconds: float) -> None:
    settings = parts.settings
    old = parts.keys.key_id
    program = [str(Path(sys.executable).parent / "notice-gateway"), "keys", "rotate"]
    slow = ["--settle", "0.5", "--rows", "1", "--rest", "20"]
    env = {"NOTICE_GATEWAY_DATA_DIR": str(settings.data_dir), "PATH": os.defpath}
    if settings.database_url:
        env["NOTICE_GATEWAY_DATABASE_URL"] = settings.database_url
    process = subprocess.Popen([*program, *slow], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # From here on the rotation is at work, wherever it is after so many seconds.
    wait_for_new_key(settings, process)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with workers(settings, 1) as (telephone,):
        assert prompts_in(telephone.call(PUBLIC, sid=a_call_sid()))
        commands = over(settings.data_dir, settings.database_url)
        commands.succeed("keys", "rotate", "--settle", "0.3")
        assert prompts_in(telephone.call(PUBLIC, sid=a_call_sid()))
    after = put_together(settings)
    assert [len(after.keys.known), after.keys.known[1].key_id] == [2, old]
    assert stale_rows(after.studio.engine, after.keys) == {}
    with after.studio.engine.connect() as connection:
        for tag in (Tag.KEYS_ROTATION_BEGUN, Tag.KEYS_ROTATED):
            told = select(func.count()).where(trail.c.tag == tag.value)
            assert connection.execute(told).scalar_one() == 1
    after.close()


def wait_for_new_key(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if len(key_file.read(settings.key_file).masters) > 1:
            return
        time.sleep(0.01)
    raise AssertionError(process.communicate())


@pytest.fixture
def commands(sqlite_settings: Settings) -> CommandLine:
    return over(sqlite_settings.data_dir)


def test_the_command_line_tells_which_keys_there_are_and_when_the_old_one_may_go(
    commands: CommandLine, sqlite_settings: Settings
) -> None:
    old = key_file.load(sqlite_settings.key_file).key_id
    assert "notice-gateway keys retire" in commands.succeed("keys", "rotate", "--settle", "0")
    assert f"{old}  reads" in commands.succeed("keys", "list")
    assert "under way" in commands.refuse("keys", "retire")
    assert "0 rows were written again" in commands.succeed("keys", "rotate", "--settle", "0")
    assert key_file.load(sqlite_settings.key_file).known[1].key_id == old


def test_keys_in_the_environment_are_rotated_as_the_record_of_the_decision_says(
    commands: CommandLine, sqlite_settings: Settings
) -> None:
    content = key_file.read(sqlite_settings.key_file)
    old, new = content.masters[content.active], commands.succeed("keys", "new").strip()
    sqlite_settings.key_file.unlink()
    commands.succeed("orders", "list", master_key=old, master_keys_previous=new)
    turned = {"master_key": new, "master_keys_previous": old}
    commands.succeed("orders", "list", **turned)
    assert "rows were written again" in commands.succeed("keys", "rotate", **turned)
    commands.succeed("orders", "list", master_key=new)


def test_there_is_nothing_to_retire_where_there_is_one_key(commands: CommandLine) -> None:
    assert commands.succeed("keys", "retire") == "There is no old key.\n"
