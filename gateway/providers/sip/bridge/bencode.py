"""Bencode, in which rtpengine's NG protocol writes its dictionaries (bittorrent.org/beps/bep_0003.html)."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from gateway.providers.sip.bridge.errors import JunkError

Told: TypeAlias = "int | str | bytes | Sequence[Told] | Mapping[str, Told]"
Read: TypeAlias = "int | bytes | list[Read] | dict[str, Read]"
_DEEPEST = 16
_MOST_DIGITS = 20


def encode(value: Told) -> bytes:
    """Return `value` in bencode; text is written as UTF-8."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode(errors="replace")
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, Mapping):
        return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
    return b"l" + b"".join(map(encode, value)) + b"e"


def decode(content: bytes) -> Read:
    """Return what `content` holds; keys come as text. Raises JunkError."""
    value, end = _value(content, 0, _DEEPEST)
    if end != len(content):
        raise _junk("something behind the end")
    return value


def _value(content: bytes, at: int, depth: int) -> tuple[Read, int]:
    if depth == 0:
        raise _junk("nested too deeply")
    match content[at : at + 1]:
        case b"i":
            return _number(content, at + 1, b"e")
        case b"l":
            return _list(content, at + 1, depth)
        case b"d":
            items, end = _list(content, at + 1, depth)
            return _dictionary(items), end
        case _:
            return _text(content, at)


def _list(content: bytes, at: int, depth: int) -> tuple[list[Read], int]:
    items: list[Read] = []
    while content[at : at + 1] != b"e":
        item, at = _value(content, at, depth - 1)
        items.append(item)
    return items, at + 1


def _dictionary(items: list[Read]) -> dict[str, Read]:
    if len(items) % 2:
        raise _junk("a key without a value")
    found: dict[str, Read] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, bytes):
            raise _junk("a key that is no text")
        found[key.decode(errors="replace")] = value
    return found


def _text(content: bytes, at: int) -> tuple[bytes, int]:
    length, start = _number(content, at, b":")
    end = start + length
    if length < 0 or end > len(content):
        raise _junk("cut off")
    return content[start:end], end


def _number(content: bytes, at: int, closing: bytes) -> tuple[int, int]:
    end = content.find(closing, at, at + _MOST_DIGITS + 1)
    digits = content[at:end]
    if end < 0 or not digits.removeprefix(b"-").isdigit():
        raise _junk("no number")
    return int(digits), end + 1


def _junk(why: str) -> JunkError:
    return JunkError(neighbour="rtpengine", why=why)
