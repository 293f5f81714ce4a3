"""What really went over the wire: tcpdump's capture of the rig's ports, read as SIP messages and RTP packets."""

import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.sip.sound import Samples, decode, share_of, stretches

_PCAP_HEADER = 24
_ETHERNET = 14
_WINDOW_PACKETS = 5
_HEARD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """One UDP datagram on the loopback: `at` in seconds since the epoch."""

    at: float
    source: int
    target: int
    payload: bytes

    @property
    def is_rtp(self) -> bool:
        """Tell RTP from RTCP and SIP: version 2, and a payload type that telephones use."""
        return len(self.payload) > 12 and self.payload[0] >> 6 == 2 and self.payload[1] & 0x7F in {0, 8, 101, 96}

    @property
    def payload_type(self) -> int:
        """The RTP payload type."""
        return self.payload[1] & 0x7F

    def samples(self) -> Samples:
        """Decode the RTP packet's sound."""
        return decode(self.payload_type, self.payload[12 + 4 * (self.payload[0] & 0x0F) :])

    @property
    def text(self) -> str:
        """The datagram as SIP."""
        return self.payload.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A running tcpdump on the loopback."""

    path: Path
    process: subprocess.Popen[bytes]
    _kept: list[Datagram] = field(default_factory=list)

    def datagrams(self) -> list[Datagram]:
        """Read what has been captured so far."""
        return list(_read(self.path))


@contextmanager
def capturing(folder: Path, low: int, high: int, *, at_once: bool = True) -> Iterator[Capture]:
    """Capture UDP between ports `low` and `high` on the loopback for as long as the context lasts.

    What is not written `at_once` comes within two seconds: tcpdump then does not wake for each packet.
    """
    path = folder / "wire.pcap"
    command = ["tcpdump", "-i", "lo", "-n", "-U", "-B", "16384", "-Z", "root", "-w", str(path)]
    if at_once:
        command.append("--immediate-mode")
    with (folder / "tcpdump.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"udp portrange {low}-{high}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 10
        while b"listening on" not in (folder / "tcpdump.log").read_bytes():
            assert process.poll() is None, (folder / "tcpdump.log").read_text()
            assert time.monotonic() < deadline, "tcpdump did not start"
            time.sleep(0.02)
        yield Capture(path=path, process=process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def _read(path: Path) -> Iterator[Datagram]:
    """Read libpcap's classic format, in this machine's byte order; the last record may be half written."""
    data = path.read_bytes()
    at = _PCAP_HEADER
    while at + 16 <= len(data):
        seconds, micro, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        if len(frame) < length or frame[12:14] != b"\x08\x00":
            continue
        packet = frame[_ETHERNET:]
        header = (packet[0] & 0x0F) * 4
        source, target = struct.unpack_from(">HH", packet, header)
        yield Datagram(at=seconds + micro / 1e6, source=source, target=target, payload=packet[header + 8 :])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """What came to one party's RTP ports, in order of time."""

    packets: tuple[Datagram, ...]

    @classmethod
    def at(cls, datagrams: list[Datagram], low: int, high: int) -> "Ear":
        """Listen to what is sent to the ports `low` to `high`."""
        return cls(packets=tuple(each for each in datagrams if low <= each.target <= high and each.is_rtp))

    def times_of(self, *tones: int) -> list[tuple[float, float]]:
        """Return from when to when one of `tones` was heard, in windows of 100 ms."""
        return stretches(self._windows(tones))

    def heard(self, *tones: int) -> bool:
        """Tell whether one of `tones` was heard at all, be it for a tenth of a second."""
        return bool(self.times_of(*tones))

    def keys_released(self) -> list[tuple[float, int]]:
        """Return when which key was released, by the first of RFC 4733's end packets."""
        found: dict[tuple[int, bytes], tuple[float, int]] = {}
        for each in self.packets:
            if each.payload_type == 101 and each.payload[13] & 0x80:
                found.setdefault((each.source, each.payload[4:8]), (each.at, each.payload[12]))
        return list(found.values())

    def sources(self) -> set[int]:
        """Return the ports that the sound came from."""
        return {each.source for each in self.packets}

    def since(self, at: float, until: float = float("inf")) -> "Ear":
        """Return what came from `at` to `until`."""
        return Ear(packets=tuple(each for each in self.packets if at <= each.at < until))

    def _windows(self, tones: tuple[int, ...]) -> Iterator[tuple[float, bool]]:
        sound = [each for each in self.packets if each.payload_type in {0, 8}]
        decoded = [each.samples() for each in sound]
        for first in range(len(sound) - _WINDOW_PACKETS + 1):
            samples = np.concatenate(decoded[first : first + _WINDOW_PACKETS])
            yield sound[first].at, max((share_of(tone, samples) for tone in tones), default=0.0) > _HEARD
