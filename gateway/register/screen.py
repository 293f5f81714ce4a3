"""The screen: which lines are certainly under no order, known without asking the database.

Holding a line back too long would only delay a new notice; a line that is on the screen is always confirmed in the
database. So staleness can never prolong a lifted notice. Every line that an approved order names is put on it, and
those that have left the register fall away when all lines are read again.
"""

import secrets
import time
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.privacy.blind_index import line_index
from gateway.privacy.ring import KeyRing
from gateway.register.screen_changes import (
    NOWHERE,
    Position,
    changes_since,
    count_lines,
    every_line,
    present,
)
from gateway.register.screen_copy import Copy, Head, Origin
from gateway.register.screen_filter import LineFilter, add_to, shard_of, shared_out

# So many lines take some 0.2 ms of the interpreter, and threads that answer calls have it in between.
_PORTION = 200
_PAUSE_SECONDS = 0.0005


class Screen:
    """A filter of blind indexes. Readers take no lock, and one thread at a time changes it.

    No index is ever taken out: what is replaced is a shard, by one that holds everything that belongs on it.
    """

    def __init__(self, keys: KeyRing, *, clock: Callable[[], datetime] = utc_now) -> None:
        """Start empty and not loaded: until then nothing can be said of any line."""
        self._keys = keys
        self._clock = clock
        self._lines = LineFilter.with_room_for(0)
        self._position = NOWHERE
        self._build = ""
        self._built_at = clock()
        self._has_all = False
        self._has_removed = False

    @property
    def is_loaded(self) -> bool:
        """Tell whether the screen ever was read, from the database or from a copy."""
        return bool(self._build)

    @property
    def is_complete(self) -> bool:
        """Tell whether it holds every line that it knows was announced, and is not too full to be of use."""
        return self._has_all and not self._lines.is_full

    @property
    def size(self) -> int:
        """Return how many lines are on the screen; a few in ten thousand may be missed by the count."""
        return self._lines.size

    @property
    def position(self) -> Position:
        """Return up to which announcement it was read."""
        return self._position

    @property
    def build(self) -> str:
        """Return the name of the reading of all lines that it goes back to; empty before the first."""
        return self._build

    def remembers_too_long(self, since: datetime) -> bool:
        """Tell whether lines have left the register that it still holds, and it was read as a whole before `since`."""
        return self._has_removed and self._built_at < since

    def may_hold(self, line: E164) -> bool:
        """Return False only for a line that certainly was under no order when the screen was last read."""
        lines = self._lines
        for keys in self._keys.known:  # noqa: SIM110  (a generator would cost as much as the look-up itself)
            if line_index(line, keys) in lines:
                return True
        return False

    def refresh(self, connection: Connection) -> None:
        """Bring the screen up to date: put on what was announced, or read all lines where that will not do."""
        if not (self.is_loaded and self.catch_up(connection)):
            self.read_all(connection)

    def catch_up(self, connection: Connection) -> bool:
        """Put on the lines that were announced since, and return whether the screen is complete now.

        Even where all lines have to be read again, it goes on from here: what is added meanwhile is not late.
        """
        while (changes := changes_since(connection, self._position)).position != self._position:
            self._lines.add(changes.added)
            self._has_removed |= changes.has_removed
            self._has_all &= changes.is_whole
            self._position = changes.position
            time.sleep(_PAUSE_SECONDS)
        return self.is_complete

    def read_all(self, connection: Connection) -> None:
        """Read every line, in portions between which other threads go on."""
        begun, position = self._clock(), present(connection)
        lines = LineFilter.with_room_for(count_lines(connection))
        found = connection.execute(every_line(connection.dialect.name)).scalars()
        for portion in found.partitions(_PORTION):
            lines.add(portion)
            time.sleep(_PAUSE_SECONDS)
        self._lines = lines
        self._settle(secrets.token_hex(8), begun, position, has_removed=False)

    def adopt(self, copy: Copy, connection: Connection | None) -> bool:
        """Take over a copy and what was announced since it was made; return False for one that does not lead there.

        Without a connection, as when the database is away at the start, it is taken as it is. Shard after shard is
        replaced, so that a worker never holds two filters; but all at once while keys are changed. A line then goes
        from the shard of its old index to that of its new one, and would for a moment be in neither.
        """
        position, has_removed, since = copy.head.position, copy.head.has_removed, list[bytes]()
        if connection is not None:
            while (changes := changes_since(connection, position)).position != position:
                if not changes.is_whole:
                    return False
                position, has_removed = changes.position, has_removed or changes.has_removed
                since.extend(changes.added)
        lines, places, size = self._lines, shared_out(since), copy.size
        if len(self._keys.known) > 1:
            lines = LineFilter(list(lines.shards), capacity=copy.capacity, hashes=copy.hashes, size=0)
        for place, bits in enumerate(copy.shards()):
            shard = shard_of(bits, copy.hashes)
            size += add_to(shard, places[place]) if places[place] else 0
            lines.shards[place] = shard
            time.sleep(_PAUSE_SECONDS)
        lines.capacity, lines.hashes, lines.size = copy.capacity, copy.hashes, size
        self._lines = lines
        self._settle(copy.head.build, copy.head.built_at, position, has_removed=has_removed)
        return True

    def head(self, origin: Origin) -> Head:
        """Return what a copy of the screen as it is now has to say of itself."""
        return Head(
            build=self._build,
            built_at=self._built_at,
            origin=origin,
            position=self._position,
            has_removed=self._has_removed,
        )

    @property
    def lines(self) -> LineFilter:
        """Return the filter, for a copy of it."""
        return self._lines

    def _settle(self, build: str, built_at: datetime, position: Position, *, has_removed: bool) -> None:
        self._position, self._built_at, self._has_removed, self._has_all = position, built_at, has_removed, True
        self._build = build
