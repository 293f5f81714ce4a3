"""Netstrings, as Kamailio's evapi frames its messages: `<length>:<bytes>,` (cr.yp.to/proto/netstrings.txt)."""

from gateway.providers.sip.bridge.errors import JunkError

LONGEST = 262_144
_MOST_DIGITS = len(str(LONGEST))
_NEIGHBOUR = "kamailio"


def framed(message: bytes) -> bytes:
    """Return `message` as a netstring."""
    return b"%d:%s," % (len(message), message)


class NetstringReader:
    """Takes bytes as they come and gives whole messages."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._read = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes. Raises JunkError: then nothing that follows can be trusted."""
        self._read += data
        messages: list[bytes] = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> bytes | None:
        colon = self._read.find(b":", 0, _MOST_DIGITS + 1)
        if colon < 0:
            digits = bytes(self._read[: _MOST_DIGITS + 1])
            if len(digits) > _MOST_DIGITS or (digits and not digits.isdigit()):
                raise JunkError(neighbour=_NEIGHBOUR, why="no length")
            return None
        digits = bytes(self._read[:colon])
        if not digits.isdigit() or int(digits) > LONGEST:
            raise JunkError(neighbour=_NEIGHBOUR, why="no length")
        end = colon + 1 + int(digits)
        if len(self._read) <= end:
            return None
        if self._read[end : end + 1] != b",":
            raise JunkError(neighbour=_NEIGHBOUR, why="no end")
        message = bytes(self._read[colon + 1 : end])
        del self._read[: end + 1]
        return message
