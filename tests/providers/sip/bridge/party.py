"""A party of a call as far as sound goes: G.711 over RTP both ways, keys, and which tone is heard."""

import asyncio
import math
import random
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

# G.711 mu-law to 16 bits (ITU-T G.711, table 2a).
_EXPONENTS = (0, 132, 396, 924, 1980, 4092, 8316, 16764)
_PACKET = 160
_KEYS = "0123456789*#ABCD"
_KEY_PAYLOAD = 101


def _linear(code: int) -> int:
    code = ~code & 0xFF
    value = _EXPONENTS[(code >> 4) & 7] + ((code & 0x0F) << (((code >> 4) & 7) + 3))
    return -value if code & 0x80 else value


_LINEAR = tuple(_linear(code) for code in range(256))


def _coded(sample: float) -> int:
    """Return the nearest mu-law code."""
    return min(range(256), key=lambda code: abs(_LINEAR[code] - sample))


def _share(hertz: float, block: Sequence[int]) -> float:
    """Return the share (0 to 1) of the power in a block that is a tone of `hertz`."""
    power = sum(each * each for each in block)
    if power < _STILL * len(block):
        return 0.0
    angle = math.tau * hertz / 8000
    real = sum(each * math.cos(angle * at) for at, each in enumerate(block))
    imaginary = sum(each * math.sin(angle * at) for at, each in enumerate(block))
    return 2 * (real * real + imaginary * imaginary) / (len(block) * power)


_BLOCK = 800
_NEARLY_ALL = 0.7
# Less than this, as a mean square of 16-bit steps, is what G.711 makes of silence.
_STILL = 2_000
VOICE_HERTZ = 2000
_VOICE = bytes(_coded(6000 * math.sin(math.tau * VOICE_HERTZ * at / 8000)) for at in range(_PACKET))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One packet of sound: when it came, and its samples at 8 kHz."""

    at: float
    samples: tuple[int, ...]


class Party(asyncio.DatagramProtocol):
    """One end of a call."""

    def __init__(self) -> None:
        self.arrived: list[Arrived] = []
        self.keys_heard = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._to: tuple[str, int] | None = None
        self._sequence, self._time, self._source = random.randrange(1000), 0, random.randrange(1 << 32)

    @classmethod
    async def create(cls) -> "Party":
        loop = asyncio.get_running_loop()
        _, party = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        return party

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  (loopback)
        if data[1] & 0x7F == 0:
            now = asyncio.get_running_loop().time()
            self.arrived.append(Arrived(at=now, samples=tuple(_LINEAR[code] for code in data[12:])))
        elif data[1] & 0x7F == _KEY_PAYLOAD:
            self.keys_heard += 1

    @property
    def sdp(self) -> str:
        """The offer or answer of this party."""
        assert self._transport is not None
        port = self._transport.get_extra_info("sockname")[1]
        return (
            "v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=fmtp:101 0-15\r\na=sendrecv\r\n"
        )

    def send_to(self, sdp: str) -> int:
        """Send where an SDP says; return the port."""
        found = re.search(r"^m=audio (\d+) ", sdp, re.MULTILINE)
        assert found is not None
        self._to = ("127.0.0.1", int(found[1]))
        return self._to[1]

    async def talk(self) -> None:
        """Send a tone of VOICE_HERTZ for as long as this is not cancelled."""
        while True:
            self._send(0, _VOICE)
            await asyncio.sleep(0.02)

    async def press(self, key: str) -> None:
        """Press a key as RFC 4733 has it: the event while it is held, and its end three times."""
        start, event = self._time, _KEYS.index(key)
        for held in (1, 2, 3, 4, 4, 4):
            ended = 0x80 if held == 4 else 0
            self._send(_KEY_PAYLOAD, struct.pack("!BBH", event, ended | 10, held * _PACKET), at=start, first=held == 1)
            await asyncio.sleep(0.01)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def seconds_of(self, hertz: float, since: float, until: float) -> float:
        """Return for how many seconds of what came between two times a tone of `hertz` is nearly all that is heard."""
        samples = self._samples(since, until)
        blocks = [samples[at : at + _BLOCK] for at in range(0, len(samples) - _BLOCK + 1, _BLOCK)]
        return sum(_share(hertz, block) > _NEARLY_ALL for block in blocks) * _BLOCK / 8000

    def is_still(self, since: float, until: float) -> bool:
        """Tell whether nothing is heard between two times."""
        samples = self._samples(since, until)
        return sum(each * each for each in samples) < _STILL * max(1, len(samples))

    def _samples(self, since: float, until: float) -> list[int]:
        return [each for packet in self.arrived if since <= packet.at < until for each in packet.samples]

    def _send(self, payload: int, content: bytes, *, at: int | None = None, first: bool = False) -> None:
        if self._transport is None or self._to is None:
            return
        self._sequence += 1
        self._time += _PACKET
        stamp = self._time if at is None else at
        header = struct.pack(
            "!BBHII", 0x80, payload | (0x80 if first else 0), self._sequence & 0xFFFF, stamp, self._source
        )
        self._transport.sendto(header + content, self._to)
