"""The whole path without real telephones: gateway, valve, bridge, edge, and endpoints that make many calls at once."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.server import Server, serving
from tests.sip.capture import Capture, capturing
from tests.sip.edge import Edge, Program, running_edge
from tests.sip.house import PUBLIC, SECRET, a_bridge, fill_sounds
from tests.sip.ports import Ports, a_block_of_ports
from tests.sip.valve import Valve, a_valve
from tests.sip.wire import Attempt, Endpoint, an_endpoint

CALLS = 60
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
    ports: Ports

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
        took = self.delays()
        return [took[attempt.call_id] for attempt in attempts]

    def delays(self) -> dict[str, float]:
        """Return the same of every call so far that was connected, by Call-ID, in the order in which they came."""
        came: dict[str, float] = {}
        left: dict[str, float] = {}
        for each in self.capture.datagrams():
            if each.payload.startswith(b"INVITE "):
                call = each.text.partition("Call-ID: ")[2].partition("\r\n")[0]
                (came if each.target == self.edge.sip else left).setdefault(call, each.at)
        return {call: left[call] - at for call, at in came.items() if call in left}

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


@contextmanager
def the_works(folder: Path, demo: Path, *, measured: bool = False, **settings: object) -> Iterator[Works]:
    """Run it all over a copy of the toned `demo` for as long as the context lasts; `settings` are the edge's.

    The valve costs time, as does a capture that is written at once: what is `measured` goes without, and has the bridge
    beside the gateway, as on one machine. Else the bridge asks the gateway about every call.
    """
    shutil.copytree(demo, folder / "data")
    with ExitStack() as stack:
        ports = stack.enter_context(a_block_of_ports())
        edge = stack.enter_context(running_edge(folder, ports, **settings))
        server = stack.enter_context(
            serving(folder / "data", folder / "home", workers=1, work=False, sip_secret=SECRET)
        )
        door = ports.one()
        valve = stack.enter_context(a_valve(server.origin, door))
        bridge = a_bridge(folder, server, edge, url="" if measured else f"http://127.0.0.1:{door}", beside=measured)
        stack.callback(bridge.stop)
        bridge.start()
        fill_sounds(server, folder / "sounds")
        yield Works(
            server=server,
            edge=edge,
            bridge=bridge,
            valve=valve,
            capture=stack.enter_context(capturing(folder, edge.sip, edge.sip + 1490, at_once=not measured)),
            caller=stack.enter_context(an_endpoint(ports.one(), edge.sip)),
            callee=stack.enter_context(an_endpoint(edge.callee, edge.sip)),
            sounds=folder / "sounds",
            ports=ports,
        )
