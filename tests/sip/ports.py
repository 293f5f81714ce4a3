"""Ports for one rig, in a block of its own, so that rigs side by side do not meet; the system hands none out."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_LOWEST = 19_000
_BLOCK = 1500
_BLOCKS = 9


class Ports:
    """Hands out the ports of one block, each once."""

    def __init__(self, first: int, end: int) -> None:
        self._next = first
        self._end = end

    def one(self) -> int:
        """Return a port that is free over UDP and TCP."""
        while not _is_free(self._next):
            self._next += 1
        self._next += 1
        assert self._next <= self._end, "the block is used up"
        return self._next - 1

    def several(self, count: int) -> tuple[int, int]:
        """Return the lowest and the highest of `count` ports, the lowest an even one, as RTP wants it."""
        low = self._next + self._next % 2
        self._next = low + count
        assert self._next <= self._end, "the block is used up"
        return low, low + count - 1


@contextmanager
def a_block_of_ports() -> Iterator[Ports]:
    """Hold a block, by a socket on its first port, for as long as the context lasts."""
    for turn in range(_BLOCKS):
        base = _LOWEST + (os.getpid() + turn) % _BLOCKS * _BLOCK
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as keeper:
            try:
                keeper.bind(("127.0.0.1", base))
            except OSError:
                continue
            yield Ports(base + 1, base + _BLOCK)
            return
    raise AssertionError("every block of ports is held")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
