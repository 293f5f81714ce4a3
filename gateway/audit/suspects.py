"""What became of rows whose seal is wrong: changed where they stand, moved from another place, or put in as a copy.

A row seals its own number. So one that was moved or copied is sound again under the number that it was written with.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.audit.canonical import seal
from gateway.audit.faults import Fault, Flaw, rows_in_words

# Beyond this many, rows are only said to be changed, without looking where they came from.
MOST_SUSPECTS = 200

Row = tuple[object, ...]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What a walk left to be explained.

    `rows` have a wrong seal, as have those in the spans of `crowd`; `gaps` are spans without a row, those beyond `last`
    at the end; `late` are numbers of sound rows that came out of order; `twins` are numbers and seals of all rows that
    have the seal of one of `rows`.
    """

    rows: tuple[Row, ...]
    crowd: tuple[Span, ...]
    gaps: tuple[Span, ...]
    late: tuple[int, ...]
    twins: tuple[tuple[object, object], ...]
    last: int


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of rows `first` to `last`; `origin` is the number under which the first of them was written."""

    first: int
    last: int
    flaw: Flaw
    origin: int | None = None

    def goes_on_in(self, other: "_Fate") -> bool:
        """Tell whether `other` is the next row, with the same fate."""
        shift = None if self.origin is None else self.origin - self.first
        others = None if other.origin is None else other.origin - other.first
        return self.flaw is other.flaw and self.last + 1 == other.first and shift == others


def seq_in(row: Row) -> int | None:
    """Return the number of a row, or None where something else stands in its place."""
    return row[0] if isinstance(row[0], int) else None


def seal_in(row: Row) -> object:
    """Return the seal of a row, as it is stored."""
    return row[-1]


def faults_of(suspicion: Suspicion, key_of: Callable[[Row], bytes | None]) -> tuple[Fault, ...]:
    """Explain every suspect row and every gap."""
    origins = {row: _origin(row, suspicion, key_of(row)) for row in suspicion.rows}
    explained = {origin for origin in origins.values() if origin is not None} | set(suspicion.late)
    return (
        *_told(_fates(origins, suspicion)),
        *(_out_of_order(seq) for seq in suspicion.late),
        *_removed(suspicion, explained),
    )


def _origin(row: Row, suspicion: Suspicion, key: bytes | None) -> int | None:
    """Return the number under which a row was written, where it is sound under another than its own."""
    if key is None:
        return None
    for seq in _candidates(row, suspicion):
        if seq != row[0] and seal((seq, *row[1:-1]), key) == row[-1]:
            return seq
    return None


def _candidates(row: Row, suspicion: Suspicion) -> Iterator[int]:
    """Yield the places that a row may come from: of a row with the same seal, of other suspects, of missing rows."""
    yield from (seq for seq, stored in suspicion.twins if stored == row[-1] and isinstance(seq, int))
    yield from (seq for seq in map(seq_in, suspicion.rows) if seq is not None)
    left = MOST_SUSPECTS
    for first, last in suspicion.gaps:
        yield from range(first, min(last, first + left - 1) + 1)
        left -= min(left, last - first + 1)


def _fates(origins: dict[Row, int | None], suspicion: Suspicion) -> list[_Fate]:
    suspects = {row[0] for row in origins}
    sound = {seq for seq, _ in suspicion.twins} - suspects
    moved = {origin for origin in origins.values() if origin is not None and origin not in sound}
    fates = [_Fate(first, last, Flaw.CHANGED) for first, last in suspicion.crowd]
    taken: set[int] = set()
    for row, origin in origins.items():
        here = seq_in(row) or 0
        # A row in whose place another one stands was replaced, unless what was there before is found elsewhere.
        stands_for_one = 1 <= here <= suspicion.last and here not in moved - {origin}
        flaw = Flaw.CHANGED if stands_for_one else Flaw.INSERTED
        if origin is not None and origin in moved and origin not in taken:
            taken.add(origin)
            flaw = Flaw.MOVED
        fates.append(_Fate(here, here, flaw, origin))
    return sorted(fates, key=lambda each: (each.flaw.value, each.first))


def _told(fates: list[_Fate]) -> Iterator[Fault]:
    """Say what became of each, in one sentence for neighbours that share a fate."""
    joined: list[_Fate] = []
    for each in fates:
        if joined and joined[-1].goes_on_in(each):
            joined[-1] = replace(joined[-1], last=each.last)
        else:
            joined.append(each)
    for each in joined:
        rows, was = rows_in_words(each.first, each.last), "was" if each.first == each.last else "were"
        came_from = "" if each.origin is None else rows_in_words(each.origin, each.origin + each.last - each.first)
        match each.flaw:
            case Flaw.MOVED:
                words = f"{rows} {was} moved: written as {came_from}"
            case Flaw.INSERTED:
                words = f"{rows} {was} put in: {f'a copy of {came_from}' if came_from else 'no key has sealed it'}"
            case _:
                words = f"{rows} {was} {f'replaced by a copy of {came_from}' if came_from else 'changed'}"
        yield Fault(flaw=each.flaw, words=words, first=each.first, last=each.last)


def _out_of_order(seq: int) -> Fault:
    return Fault(flaw=Flaw.MOVED, words=f"row {seq} is out of order, or stands there twice", first=seq, last=seq)


def _removed(suspicion: Suspicion, explained: set[int]) -> Iterator[Fault]:
    """Yield the gaps that no moved row explains."""
    for first, last in suspicion.gaps:
        start = first
        for stop in sorted(each for each in explained if first <= each <= last):
            yield from _gone(start, stop - 1, suspicion.last)
            start = stop + 1
        yield from _gone(start, last, suspicion.last)


def _gone(first: int, last: int, end: int) -> Iterator[Fault]:
    if first > last:
        return
    rows, are = rows_in_words(first, last), "is" if first == last else "are"
    if first > end:
        words = f"{rows} {are} cut off: the head of the trail counts more entries than there are"
        yield Fault(flaw=Flaw.CUT_OFF, words=words, first=first, last=last)
    else:
        yield Fault(flaw=Flaw.REMOVED, words=f"{rows} {are} missing", first=first, last=last)
