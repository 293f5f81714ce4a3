"""Promise 1 over SIP: whatever fails, every call connects, within 600 ms where no notice was playing."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from tests.end_to_end.server import Server, serving
from tests.sip.capture import Capture, capturing
from tests.sip.edge import Edge, Program, running_edge
from tests.sip.house import FREE, PUBLIC, SECRET, a_bridge, fill_sounds
from tests.sip.ports import a_block_of_ports
from tests.sip.valve import Mode, Valve, a_valve
from tests.sip.wire import Attempt, Endpoint, an_endpoint

CALLS = 60
PROMISED = 0.6
_APART = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """The whole path, with endpoints that make many calls at once, and a valve before the gateway."""

    server: Server
    edge: Edge
    bridge: Program
    valve: Valve
    capture: Capture
    caller: Endpoint
    callee: Endpoint
    sounds: Path

    def call(self, number: str, count: int = CALLS) -> list[Attempt]:
        """Let calls from as many callers begin, one after another."""
        attempts = []
        for turn in range(count):
            attempts.append(self.caller.invite(number, caller=f"+1202555{1000 + turn}"))
            time.sleep(_APART)
        return attempts

    def complete(self, attempts: list[Attempt]) -> None:
        """See every call connected, and end it."""
        answers = [self.caller.response(attempt, 200, 8) for attempt in attempts]
        for attempt, answer in zip(attempts, answers, strict=True):
            self.caller.acknowledge(attempt, answer)
            self.caller.hang_up(attempt, answer)

    def seconds_to_connect(self, attempts: list[Attempt]) -> list[float]:
        """Return how long each call took from INVITE in to INVITE out, by the kernel's clock."""
        came: dict[str, float] = {}
        left: dict[str, float] = {}
        for each in self.capture.datagrams():
            if each.payload.startswith(b"INVITE "):
                call = each.text.partition("Call-ID: ")[2].partition("\r\n")[0]
                (came if each.target == self.edge.sip else left).setdefault(call, each.at)
        return [left[attempt.call_id] - came[attempt.call_id] for attempt in attempts]

    def is_well(self) -> bool:
        """Tell whether a public notice is heard, as it is when nothing has failed."""
        attempt = self.caller.invite(PUBLIC, caller="+12025550177")
        try:
            self.caller.response(attempt, 183, 2)
        except AssertionError:
            return False
        finally:
            self.complete([attempt])
        return True

    def wait_until_well(self) -> None:
        """Wait until everything has come back."""
        deadline = time.monotonic() + 20
        while not self.is_well():
            assert time.monotonic() < deadline, f"it did not come back; the bridge is {self.edge.bridge()}"
            time.sleep(0.1)

    @contextmanager
    def without(self, program: Program) -> Iterator[None]:
        """Kill a program, and start it again at the end."""
        program.kill()
        try:
            yield
        finally:
            program.start()


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory, toned_demo: Path) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("works")
    shutil.copytree(toned_demo, folder / "data")
    with ExitStack() as stack:
        ports = stack.enter_context(a_block_of_ports())
        edge = stack.enter_context(running_edge(folder, ports))
        server = stack.enter_context(serving(folder / "data", folder / "home", workers=1, sip_secret=SECRET))
        door = ports.one()
        valve = stack.enter_context(a_valve(server.origin, door))
        bridge = a_bridge(folder, server, edge, url=f"http://127.0.0.1:{door}")
        stack.callback(bridge.stop)
        bridge.start()
        fill_sounds(server, folder / "sounds")
        yield Works(
            server=server,
            edge=edge,
            bridge=bridge,
            valve=valve,
            capture=stack.enter_context(capturing(folder, edge.sip, edge.sip + 590)),
            caller=stack.enter_context(an_endpoint(ports.one(), edge.sip)),
            callee=stack.enter_context(an_endpoint(edge.callee, edge.sip)),
            sounds=folder / "sounds",
        )


@pytest.fixture(autouse=True)
def _well(works: Works) -> None:
    """Begin with everything in its place."""
    works.wait_until_well()


def test_nothing_has_failed(works: Works) -> None:
    attempts = works.call(FREE)
    works.complete(attempts)
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    assert works.edge.ways()["decided"] >= CALLS


@pytest.mark.parametrize("mode", [mode for mode in get_args(Mode) if mode != "pass"])
def test_a_gateway_that_fails(works: Works, mode: Mode) -> None:
    works.valve.mode = mode
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.valve.mode = "pass"
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_a_gateway_whose_database_is_away(works: Works) -> None:
    database = works.server.settings.sqlite_path
    away = database.with_suffix(".away")
    database.rename(away)
    database.mkdir()
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        database.rmdir()
        away.rename(database)
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_a_bridge_that_is_gone(works: Works) -> None:
    with works.without(works.bridge):
        works.edge.wait_for_bridge("absent")
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    assert max(works.seconds_to_connect(attempts)) < 0.2


def test_a_bridge_that_is_stopped(works: Works) -> None:
    works.bridge.pause()
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.bridge.resume()
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_a_bridge_that_is_killed_during_notices(works: Works) -> None:
    attempts = works.call(PUBLIC, 20)
    for attempt in attempts[-10:]:
        works.caller.response(attempt, 183)
    with works.without(works.bridge):
        killed = time.monotonic()
        for attempt in attempts:
            assert works.callee.invited(attempt).at - killed < 0.5
        works.complete(attempts)


def test_an_rtpengine_that_is_gone(works: Works) -> None:
    with works.without(works.edge.rtpengine):
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    # The parties talk directly.
    assert works.callee.invited(attempts[-1]).audio_port == 40_000


def test_an_rtpengine_that_is_stopped(works: Works) -> None:
    works.edge.rtpengine.pause()
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.edge.rtpengine.resume()
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_an_rtpengine_that_is_killed_during_notices(works: Works) -> None:
    attempts = works.call(PUBLIC, 20)
    for attempt in attempts[-10:]:
        works.caller.response(attempt, 183)
    with works.without(works.edge.rtpengine):
        works.complete(attempts)


def test_recordings_that_are_missing(works: Works) -> None:
    away = works.sounds.with_name("away")
    away.mkdir()
    for each in works.sounds.glob("*.wav"):
        each.rename(away / each.name)
    first = works.caller.invite(PUBLIC)
    works.complete([first])
    assert works.seconds_to_connect([first])[0] < PROMISED
    assert not [each for each in works.caller.seen if each.code == 183 and first.call_id in each.text]
    # What was missed has been fetched for the next call.
    works.wait_until_well()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" + bytes(4000)], ids=["empty", "cut off", "ogg"])
def test_recordings_that_are_none(works: Works, content: bytes) -> None:
    kept = {each: each.read_bytes() for each in works.sounds.glob("?" * 64 + ".wav")}
    works.valve.gives_recordings = False
    for each in kept:
        each.write_bytes(content)
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.valve.gives_recordings = True
        for each, before in kept.items():
            each.write_bytes(before)
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    assert works.edge.rtpengine.lives
