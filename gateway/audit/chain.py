"""Judging the chain: every row by its own seal over the previous one it has written down, and every link apart.

So one changed row is one fault, and not a fault of everything behind it. Rows are streamed; what is wrong is kept.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.audit.canonical import seal
from gateway.audit.faults import Fault, Flaw, rows_in_words
from gateway.audit.suspects import MOST_SUSPECTS, Row, Span, Suspicion, faults_of, seal_in, seq_in
from gateway.audit.tags import Tag
from gateway.audit.trail import FIRST_SEAL, SEALED
from gateway.privacy.errors import UnknownKeyError
from gateway.privacy.ring import KeyRing

_AT, _TAG, _DETAILS, _KEY_ID, _PREVIOUS = (
    SEALED.index(each) for each in ("at", "tag", "details", "key_id", "previous")
)
_VOUCHING = {Tag.CHECKPOINT.value, Tag.KEYS_ROTATED.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The row that says which entry is the last, as it is stored."""

    seq: object
    seal: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a walk over the trail found.

    `anchors` are the seals of the rows that were asked for, `last` is the last row in its place, `vouched` are the
    public keys (hex) that sound rows name, and `begun_at` is the instant of the first row, in microseconds.
    """

    rows: int
    last: int
    begun_at: int | None
    anchors: Mapping[int, object]
    vouched: frozenset[str]
    faults: tuple[Fault, ...]


def judge(read: Callable[[], Iterator[Row]], head: Head | None, ring: KeyRing, watched: Iterable[int]) -> Judged:
    """Judge the rows that `read` yields in order; it is asked twice where some row is wrong.

    A row is a tuple of its stored values: those of `SEALED`, then its seal. `watched` are rows to return the seals of.
    """
    top = head.seq if head is not None and isinstance(head.seq, int) else None
    walk = _Walk(ring=ring, top=top, anchors=dict.fromkeys(watched))
    for row in read():
        walk.take(row)
    last = walk.expected - 1
    walk.finish(head)
    wanted = {seal_in(row) for row in walk.suspects}
    suspicion = Suspicion(
        rows=tuple(walk.suspects),
        crowd=tuple(walk.crowd),
        gaps=tuple(walk.gaps),
        late=tuple(walk.late),
        twins=tuple((row[0], seal_in(row)) for row in read() if seal_in(row) in wanted) if wanted else (),
        last=last,
    )
    return Judged(
        rows=walk.rows,
        last=last,
        begun_at=walk.begun_at,
        anchors={seq: stored for seq, stored in walk.anchors.items() if stored is not None},
        vouched=frozenset(walk.vouched),
        faults=(*faults_of(suspicion, walk.key_of), *walk.faults),
    )


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One pass over the trail; `suspects` have a wrong seal, `crowd` are the spans of those beyond counting."""

    ring: KeyRing
    top: int | None
    anchors: dict[int, object]
    rows: int = 0
    expected: int = 1
    begun_at: int | None = None
    last_seal: object = FIRST_SEAL
    suspects: list[Row] = field(default_factory=list)
    crowd: list[Span] = field(default_factory=list)
    gaps: list[Span] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unknown: dict[str, Fault] = field(default_factory=dict)
    vouched: set[str] = field(default_factory=set)
    keys: dict[object, bytes | None] = field(default_factory=dict)

    def take(self, row: Row) -> None:
        """Judge one row by itself, then how it follows the one before."""
        self.rows += 1
        key = self.key_of(row)
        stored = row[-1]
        if key is None:
            self._follow(row, None)
        elif isinstance(stored, bytes) and hmac.compare_digest(seal(row[:-1], key), stored):
            self._follow(row, stored)
            if row[_TAG] in _VOUCHING:
                self._vouch(row)
        else:
            self._suspect(row)

    def key_of(self, row: Row) -> bytes | None:
        """Return the audit key that a row names, or None where the ring has none of that name."""
        key_id = row[_KEY_ID]
        if key_id not in self.keys:
            try:
                self.keys[key_id] = self.ring.audit_key(str(key_id))
            except UnknownKeyError:
                self.keys[key_id] = None
        return self.keys[key_id]

    def finish(self, head: Head | None) -> None:
        """Compare the end of the trail with its head."""
        self.faults += self.unknown.values()
        last = self.expected - 1
        if head is None and self.rows == 0:
            return
        if head is not None and self.top is not None:
            if self.top > last:
                self.gaps.append((self.expected, self.top))
                return
            if self.top == last and self.last_seal in {None, head.seal}:
                return
        words = (
            f"the head of the trail was changed or removed: it does not fit {rows_in_words(last, last)}, the last one"
        )
        self.faults.append(Fault(flaw=Flaw.HEAD, words=words, first=last, last=last))

    def _follow(self, row: Row, stored: bytes | None) -> None:
        """Take a row as being in its place; `stored` is its seal, or None where that proves nothing."""
        seq = seq_in(row)
        if stored is None:
            self._unknown_key(row)
            if seq is None:
                return
        if seq is None or seq < self.expected:
            self.late.append(seq or 0)
            return
        if seq > self.expected:
            self.gaps.append((self.expected, seq - 1))
        elif None not in {stored, self.last_seal} and row[_PREVIOUS] != self.last_seal:
            words = f"row {seq} is sound but does not follow row {seq - 1}: they come from two trails"
            self.faults.append(Fault(flaw=Flaw.FORKED, words=words, first=seq, last=seq))
        self._pass(seq, row, stored)

    def _pass(self, seq: int, row: Row, stored: bytes | None) -> None:
        if seq in self.anchors:
            self.anchors[seq] = row[-1]
        if seq == 1 and stored is not None:
            at = row[_AT]
            self.begun_at = at if isinstance(at, int) else None
        self.expected, self.last_seal = seq + 1, stored

    def _suspect(self, row: Row) -> None:
        """Keep a row whose seal is wrong. One among the counted rows stands where a row should, whatever it holds."""
        seq = seq_in(row)
        if seq is not None and self.expected <= seq <= (self.top or 0):
            if seq > self.expected:
                self.gaps.append((self.expected, seq - 1))
            self._pass(seq, row, None)
        if len(self.suspects) < MOST_SUSPECTS:
            self.suspects.append(row)
        elif self.crowd and self.crowd[-1][1] + 1 == seq:
            self.crowd[-1] = (self.crowd[-1][0], seq)
        else:
            self.crowd.append((seq or 0, seq or 0))

    def _unknown_key(self, row: Row) -> None:
        """Name the rows that cannot be judged, key by key."""
        key_id, seq = str(row[_KEY_ID]), seq_in(row) or 0
        known = self.unknown.get(key_id)
        first, last = (known.first, seq) if known else (seq, seq)
        words = (
            f"{rows_in_words(first, last)}: sealed with key {key_id!r}, which is not on the ring; if no key file that "
            "was in use is missing, the row was changed"
        )
        self.unknown[key_id] = Fault(flaw=Flaw.UNKNOWN_KEY, words=words, first=first, last=last)

    def _vouch(self, row: Row) -> None:
        details = json.loads(str(row[_DETAILS]))
        self.vouched.add(str(details.get("public_key", "")))
