"""A screen that takes the place of another one does not cost the memory of two."""

import subprocess
import sys

import pytest

_LINES = 10_000_000
_PROGRAM = """
import sys, threading
from pathlib import Path
from gateway.register.screen_filter import LineFilter, shard_of
from gateway.register.screen_memory import map_large_blocks

def megabytes(name):
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(each.split()[1]) / 1024 for each in status if each.startswith(name))

def replace_shards():
    for place in range(len(lines.shards)):
        lines.shards[place] = shard_of(bytes(shard_bytes), hashes)

if sys.argv[1] == "mapped":
    map_large_blocks()
large = LineFilter.with_room_for({lines})
shard_bytes, hashes = len(large.shards[0].get_bytes()), large.hashes
del large
lines = LineFilter.with_room_for(0)
Path("/proc/self/clear_refs").write_text("5")
base = megabytes("VmRSS")
for _ in range(3):
    thread = threading.Thread(target=replace_shards)
    thread.start()
    thread.join()
print((megabytes("VmHWM") - base) / (shard_bytes * len(lines.shards) / 2**20))
"""


def _peak(how: str) -> float:
    """Return the peak of memory while three screens follow on one another, in sizes of one of them."""
    command = [sys.executable, "-c", _PROGRAM.replace("{lines}", str(_LINES)), how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_screen_that_replaces_another_one_takes_its_place_in_memory() -> None:
    assert _peak("mapped") < 1.3
