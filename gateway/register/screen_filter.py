"""The filter behind the screen: a Bloom filter of blind indexes, in shards so small that none of its steps is long.

A Bloom filter never forgets what was put in; of what was not, it says "maybe" for one in ten thousand, which costs a
question to the database. Every call into fastbloom_rs holds the interpreter's lock until it returns: to load ten
million lines in one piece would stop all calls of a worker meanwhile. A shard is a sixty-fourth of that.
"""

from collections.abc import Iterable

from fastbloom_rs import PyBloomFilter, PyFilterBuilder

SHARDS = 64
_MASK = SHARDS - 1
_WRONG_ANSWERS = 1e-4
# So few lines that the filter is small anyway get one that is hardly ever wrong.
_LEAST_CAPACITY = 1 << 16
_HEADROOM = 1.25


class LineFilter:
    """A set of 16-byte blind indexes that may say yes once too often. One thread writes, any number read.

    A blind index is a keyed hash, so that its first byte spreads lines evenly over the shards.
    """

    __slots__ = ("capacity", "hashes", "shards", "size")

    def __init__(self, shards: list[PyBloomFilter], *, capacity: int, hashes: int, size: int) -> None:
        """Hold `shards`, which have room for `capacity` lines and hold `size`."""
        self.shards = shards
        self.capacity = capacity
        self.hashes = hashes
        self.size = size

    @classmethod
    def with_room_for(cls, lines: int) -> "LineFilter":
        """Return an empty filter for so many lines and a quarter more."""
        capacity = max(_LEAST_CAPACITY, int(lines * _HEADROOM))
        shards = [_empty(capacity // SHARDS) for _ in range(SHARDS)]
        return cls(shards, capacity=capacity, hashes=shards[0].hashes(), size=0)

    @property
    def is_full(self) -> bool:
        """Tell whether it holds more than it was made for, and so says yes too often."""
        return self.size > self.capacity

    def __contains__(self, index: bytes) -> bool:
        """Return False only for an index that was never put in."""
        found: bool = self.shards[index[0] & _MASK].contains_bytes(index)
        return found

    def add(self, indexes: Iterable[bytes]) -> None:
        """Put indexes in, some thousands at most at a time: a thread that answers calls waits meanwhile."""
        for shard, some in zip(self.shards, shared_out(indexes), strict=True):
            if some:
                self.size += add_to(shard, some)


def shared_out(indexes: Iterable[bytes]) -> list[set[bytes]]:
    """Return, for each shard, which of the indexes belong to it."""
    places: list[set[bytes]] = [set() for _ in range(SHARDS)]
    for index in indexes:
        places[index[0] & _MASK].add(index)
    return places


def add_to(shard: PyBloomFilter, indexes: Iterable[bytes]) -> int:
    """Put indexes into one shard and return how many it did not hold."""
    some = list(indexes)
    known: list[bool] = shard.contains_bytes_batch(some)
    shard.add_bytes_batch(some)
    return len(known) - sum(known)


def shard_of(bits: bytes, hashes: int) -> PyBloomFilter:
    """Return the shard that `get_bytes` gave `bits` for."""
    return PyBloomFilter.from_bytes(bits, hashes)


def _empty(lines: int) -> PyBloomFilter:
    return PyFilterBuilder(lines, _WRONG_ANSWERS).build_bloom_filter()
