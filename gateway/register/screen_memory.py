"""Where the memory of a screen comes from, so that the old one is given back as the new one takes its place."""

import ctypes
from contextlib import suppress

# mallopt(3): blocks as large as this are mapped each by itself, and unmapped when they are freed.
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1 << 17


def map_large_blocks() -> None:
    """Have glibc map large blocks apart for good, as it does until the first of them is freed; another libc is left be.

    After that it would take blocks of a shard's size from the heap of the thread that asks. There the shards of a new
    screen find no room between those of the old one, and a worker holds two screens at the peak of a rebuild.
    """
    # musl, for one, has no such function and no such heaps.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
