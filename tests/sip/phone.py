"""A telephone: baresip, told what to do over its control socket, with a tone of its own in place of a voice."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sip.edge import Program
from tests.sip.ports import Ports
from tests.sip.sound import write_tone

_CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{sip}
call_local_timeout 120
call_max_calls 4
audio_source aufile,{voice}
audio_player aubridge,{name}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_txmode poll
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
rtp_tos 0
rtp_ports {low}-{high}
rtp_stats no
rtp_timeout 0
net_interface 127.0.0.1
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


@dataclass(slots=True, kw_only=True)
class Phone:
    """A running baresip; `rtp` are the lowest and the highest of its ports for sound, `tone` is its voice in Hz.

    `sip` is where it is called, `over` UDP or TLS.
    """

    sip: int
    over: str
    rtp: tuple[int, int]
    tone: int
    program: Program
    control: socket.socket
    events: list[dict[str, Any]] = field(default_factory=list)
    _buffer: bytes = b""

    def call(self, number: str, edge: int) -> None:
        """Dial `number` at the edge's port."""
        self._say("dial", f"sip:{number}@127.0.0.1:{edge};transport={self.over}")

    def turn_to(self, number: str) -> None:
        """Have what is said next concern the calls of this number of the telephone's."""
        self._say("uafind", f"sip:{number}@127.0.0.1:{self.sip}")

    def press(self, key: str) -> float:
        """Press a key for a moment, as RFC 4733 has it; return the time."""
        at = time.time()
        self._say("sndcode", key)
        return at

    def answer(self) -> None:
        self._say("accept")

    def hang_up(self) -> None:
        self._say("hangup")

    def hold(self) -> None:
        self._say("hold")

    def resume(self) -> None:
        self._say("resume")

    def wait_for(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        """Wait for an event such as CALL_RINGING, CALL_ESTABLISHED or CALL_CLOSED; each is given out once."""
        deadline = time.monotonic() + seconds
        while True:
            for place, event in enumerate(self.events):
                if event.get("type") == kind:
                    return self.events.pop(place)
            left = deadline - time.monotonic()
            assert left > 0, f"no {kind} in {seconds} s; {self.events}\n{self.program.log.read_text()[-2000:]}"
            self._listen(left)

    def settle(self) -> None:
        """Forget what has been told so far."""
        self._listen(0.01)
        self.events.clear()

    def _say(self, command: str, params: str = "") -> None:
        message = json.dumps({"command": command, "params": params}).encode()
        self.control.sendall(b"%d:%s," % (len(message), message))

    def _listen(self, seconds: float) -> None:
        self.control.settimeout(seconds)
        try:
            self._buffer += self.control.recv(65_536)
        except TimeoutError:
            return
        while b":" in self._buffer:
            length, _, rest = self._buffer.partition(b":")
            if len(rest) <= int(length):
                return
            self.events.append(json.loads(rest[: int(length)]))
            self._buffer = rest[int(length) + 1 :]


@contextmanager
def a_phone(
    folder: Path,
    ports: Ports,
    *numbers: str,
    tone: int,
    edge: int,
    sip: int | None = None,
    answers: bool = True,
    certificate: Path | None = None,
) -> Iterator[Phone]:
    """Run the telephone of `numbers`, which calls out through the port `edge`; it answers by itself, or not.

    One with a `certificate` (a PEM file with its key) speaks TLS, and listens on the port after `sip`.
    """
    name = numbers[0].removeprefix("+")
    home = folder / name
    home.mkdir()
    # baresip takes the next port too, for TLS.
    sip = sip or ports.several(2)[0]
    control = ports.one()
    low, high = ports.several(12)
    voice = write_tone(home / "voice.wav", tone, 40)
    config = _CONFIG.format(sip=sip, voice=voice, name=name, low=low, high=high, control=control)
    over, here = ("udp", sip) if certificate is None else ("tls", sip + 1)
    encrypted = "" if certificate is None else f"sip_certificate {certificate}\n"
    (home / "config").write_text(config + encrypted, encoding="utf-8")
    mode = "auto" if answers else "manual"
    accounts = (
        f'<sip:{number}@127.0.0.1:{here};transport={over}>;regint=0;outbound="sip:127.0.0.1:{edge};transport={over};lr"'
        f";answermode={mode};audio_codecs=PCMU/8000/1,PCMA/8000/1;dtmfmode=rtpevent\n"
        for number in numbers
    )
    (home / "accounts").write_text("".join(accounts), encoding="utf-8")
    program = Program(
        command=["baresip", "-f", str(home), "-s"], log=home / "log", env={"PATH": os.defpath, "HOME": str(home)}
    )
    program.start()
    try:
        with _connect(program, control) as connection:
            yield Phone(sip=here, over=over, rtp=(low, high), tone=tone, program=program, control=connection)
    finally:
        program.stop()


def _connect(program: Program, port: int) -> socket.socket:
    deadline = time.monotonic() + 10
    while True:
        assert program.lives, program.log.read_text()
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            assert time.monotonic() < deadline, program.log.read_text()
            time.sleep(0.02)
