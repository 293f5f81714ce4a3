"""All of it: gateway, edge, bridge, two telephones, and the capture of what goes over the wire."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import delete, update

from gateway.assembly import put_together
from gateway.audit.tables import plays
from gateway.clock import utc_now
from gateway.register.tables import lines
from gateway.workflows.load_demo import person_in_permitted_hours
from tests.end_to_end.server import PROGRAM, Server, serving
from tests.sip.capture import Capture, Datagram, Ear, capturing
from tests.sip.edge import Edge, Program, running_edge
from tests.sip.phone import Phone, a_phone
from tests.sip.ports import Ports, a_block_of_ports
from tests.sip.tones import CALLEE_VOICE, CALLER_VOICE, Tones, tones_of

CALLER = "+12025550188"
PUBLIC, SECOND_PUBLIC, WARNED = "+12025550110", "+442079460110", "+12025550111"
LIFTED, FREE = "+12025550130", "+12025550199"
PERSONS = ("+12025550120", "+442079460120", "+61255500120")
SECRET = "the tests' own shared secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one call sounded like: `began` when the caller's INVITE was sent, in seconds since the epoch."""

    began: float
    caller: Ear
    callee: Ear
    messages: tuple[tuple[Datagram, str], ...]

    def first(self, start: str, *, source: int | None = None, target: int | None = None) -> Datagram:
        """Return the first SIP message that begins with `start`."""
        for datagram, text in self.messages:
            if text.startswith(start) and source in {None, datagram.source} and target in {None, datagram.target}:
                return datagram
        raise AssertionError(f"no {start} in {[text.partition(chr(13))[0] for _, text in self.messages]}")

    def count(self, start: str) -> int:
        """Return how many SIP messages begin with `start`."""
        return sum(text.startswith(start) for _, text in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a call needs; `bridge` may be killed and started again."""

    folder: Path
    ports: Ports
    server: Server
    edge: Edge
    bridge: Program
    capture: Capture
    caller: Phone
    callee: Phone
    tones: Tones
    sounds: Path

    def person(self) -> str:
        """Return the line of a person who may be spoken to now, with nothing heard on it and nothing suspended."""
        parts = put_together(self.server.settings)
        with parts.studio.engine.begin() as connection:
            connection.execute(delete(plays))
            connection.execute(update(lines).values(suspended_at=None, ground=None))
        parts.close()
        return person_in_permitted_hours(utc_now())[0]

    @contextmanager
    def a_call(self, number: str) -> Iterator[float]:
        """Dial `number`, and see to it that everybody has hung up when the context ends."""
        for phone in (self.caller, self.callee):
            phone.events.clear()
        self.callee.turn_to(number)
        began = time.time()
        self.caller.call(number, self.edge.sip)
        try:
            yield began
        finally:
            self.caller.hang_up()
            self.callee.hang_up()
            time.sleep(0.2)
            self.caller.settle()
            self.callee.settle()

    def recording(self, began: float) -> Recording:
        """Read what went over the wire since `began`."""
        datagrams = [each for each in self.capture.datagrams() if each.at >= began - 0.01]
        sip = {self.edge.sip, self.caller.sip, self.callee.sip}
        messages = tuple((each, each.text) for each in datagrams if each.source in sip and each.target in sip)
        invite = next(each.at for each, text in messages if text.startswith("INVITE"))
        return Recording(
            began=invite,
            caller=Ear.at(datagrams, *self.caller.rtp),
            callee=Ear.at(datagrams, *self.callee.rtp),
            messages=messages,
        )


@contextmanager
def a_house(folder: Path, demo: Path) -> Iterator[House]:
    """Build it over a copy of the toned `demo`, for as long as the context lasts."""
    data = folder / "data"
    shutil.copytree(demo, data)
    with ExitStack() as stack:
        ports = stack.enter_context(a_block_of_ports())
        edge = stack.enter_context(running_edge(folder, ports))
        server = stack.enter_context(serving(data, folder / "home", workers=1, work=False, sip_secret=SECRET))
        bridge = a_bridge(folder, server, edge, beside=True)
        stack.callback(bridge.stop)
        bridge.start()
        fill_sounds(server, folder / "sounds")
        capture = stack.enter_context(capturing(folder, edge.sip, edge.sip + 1490))
        caller = stack.enter_context(a_phone(folder, ports, CALLER, tone=CALLER_VOICE, edge=edge.sip))
        numbers = (PUBLIC, SECOND_PUBLIC, WARNED, LIFTED, FREE, *PERSONS)
        callee = stack.enter_context(
            a_phone(folder, ports, *numbers, tone=CALLEE_VOICE, edge=edge.sip, sip=edge.callee)
        )
        edge.wait_for_bridge()
        yield House(
            folder=folder,
            ports=ports,
            server=server,
            edge=edge,
            bridge=bridge,
            capture=capture,
            caller=caller,
            callee=callee,
            tones=tones_of(data),
            sounds=folder / "sounds",
        )


def a_bridge(folder: Path, server: Server, edge: Edge, *, url: str = "", beside: bool = False) -> Program:
    """Return the bridge, not yet started; it reaches the gateway at `url`, where that is not the gateway itself.

    One that is `beside` the gateway has its data folder too: register, keys, and the library of recordings.
    """
    settings = {
        "SIP_GATEWAY_URL": url or server.origin,
        "SIP_EVAPI": f"127.0.0.1:{edge.evapi}",
        "SIP_RTPENGINE": f"127.0.0.1:{edge.ng}",
        "SIP_DTMF_LISTEN": f"127.0.0.1:{edge.keys}",
        "SIP_SOUNDS_DIR": str(folder / "sounds"),
    }
    if not beside:
        # What is missing is fetched over HTTP, and not copied from beside it; the gateway is asked about every call.
        settings["DATA_DIR"] = str(folder / "bridge")
    env = {**server.env, **{f"NOTICE_GATEWAY_{name}": value for name, value in settings.items()}}
    return Program(command=[PROGRAM, "sip-bridge"], log=folder / "bridge.log", env=env)


def fill_sounds(server: Server, sounds: Path) -> None:
    """Lay every recording where the bridge would fetch it to when it is missed."""
    sounds.mkdir(exist_ok=True)
    parts = put_together(server.settings)
    with parts.studio.engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT wideband FROM renditions").scalars().all()
    parts.close()
    for name in names:
        answer = httpx.get(f"{server.origin}/prompts/{name}.wav", trust_env=False, timeout=10)
        assert answer.status_code == 200
        (sounds / f"{name}.wav").write_bytes(answer.content)
