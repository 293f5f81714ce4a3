"""Verification: the trail, the evidence of plays, and the checkpoints that both must still agree with."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from gateway.audit.chain import Head, Judged, judge
from gateway.audit.checkpoint import Checkpoint, public_key_of
from gateway.audit.daybook import Day, condense, empty
from gateway.audit.faults import Fault, Flaw, Report, rows_in_words
from gateway.audit.play_seal import is_sealed
from gateway.audit.stored import PLAY_COLUMNS, head_in, plays_in, rows_in
from gateway.audit.suspects import Row
from gateway.privacy.errors import UnknownKeyError
from gateway.privacy.ring import KeyRing

_MOST_TOLD = 1000
_PLAYED_AT, _SEAL = PLAY_COLUMNS.index("played_at"), PLAY_COLUMNS.index("seal")


def verify(
    connection: Connection, ring: KeyRing, checkpoints: Iterable[Checkpoint] = (), trusted: Iterable[str] = ()
) -> Report:
    """Look through everything and report every fault.

    `connection` must show one state of the database from first to last, as the engine for reading does. `trusted` are
    public keys (hex) of checkpoints that are vouched for elsewhere.
    """
    kept = tuple(checkpoints)
    judged = judge(lambda: rows_in(connection), head_in(connection), ring, _watched(kept))
    evidence = _Evidence(ring=ring, begun_at=judged.begun_at)
    expected = _expected(kept)
    found = {day.day: day for day in condense(evidence.judged(plays_in(connection))) if day.day in expected}
    faults = (
        *judged.faults,
        *_against(kept, judged, ring, trusted),
        *evidence.faults,
        *_differing(expected, found),
    )
    return _report(judged, kept, faults, evidence)


def verify_rows(
    read: Callable[[], Iterator[Row]],
    head: Head | None,
    ring: KeyRing,
    checkpoints: Iterable[Checkpoint] = (),
    trusted: Iterable[str] = (),
) -> Report:
    """Look through a trail that was exported, away from its database; plays are not in it."""
    kept = tuple(checkpoints)
    judged = judge(read, head, ring, _watched(kept))
    faults = (*judged.faults, *_against(kept, judged, ring, trusted))
    return _report(judged, kept, faults, _Evidence(ring=ring, begun_at=None))


def _watched(checkpoints: Iterable[Checkpoint]) -> set[int]:
    return {each.statement.seq for each in checkpoints}


def _report(
    judged: Judged, checkpoints: tuple[Checkpoint, ...], faults: tuple[Fault, ...], seen: "_Evidence"
) -> Report:
    return Report(
        rows=judged.rows,
        plays=seen.plays,
        checkpoints=len(checkpoints),
        unsealed=seen.unsealed,
        faults=faults[:_MOST_TOLD],
        untold=max(0, len(faults) - _MOST_TOLD) + seen.untold,
    )


def _against(
    checkpoints: Iterable[Checkpoint], judged: Judged, ring: KeyRing, trusted: Iterable[str]
) -> Iterator[Fault]:
    """Hold the trail against each checkpoint that can be trusted."""
    vouched = {public_key_of(keys) for keys in ring.known} | judged.vouched | set(trusted)
    for each in checkpoints:
        stated = each.statement
        if not each.is_signed:
            yield _doubt(each, "its signature does not fit: the file was changed")
        elif each.public_key not in vouched:
            yield _doubt(each, f"neither the key ring nor the trail knows its public key {each.public_key}")
        elif stated.seq > judged.last:
            rows = rows_in_words(judged.last + 1, stated.seq)
            words = f"{rows} cut off: checkpoint {each.source} of {stated.at:%Y-%m-%d} has seen {stated.seq} entries"
            yield Fault(flaw=Flaw.CUT_OFF, words=words, first=judged.last + 1, last=stated.seq, subject=each.source)
        elif stated.seq > 0 and judged.anchors.get(stated.seq, stated.seal) != stated.seal:
            words = f"row {stated.seq} is not the one that checkpoint {each.source} of {stated.at:%Y-%m-%d} has seen"
            yield Fault(flaw=Flaw.CHECKPOINT, words=words, first=stated.seq, last=stated.seq, subject=each.source)


def _doubt(checkpoint: Checkpoint, why: str) -> Fault:
    words = f"checkpoint {checkpoint.source} proves nothing: {why}"
    return Fault(flaw=Flaw.CHECKPOINT, words=words, subject=checkpoint.source)


@dataclass(slots=True, kw_only=True)
class _Evidence:
    """A pass over the plays. A play without a seal is older than the trail, or was put in."""

    ring: KeyRing
    begun_at: int | None
    plays: int = 0
    unsealed: int = 0
    untold: int = 0
    faults: list[Fault] = field(default_factory=list)

    def judged(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Judge each play by its seal and pass it on."""
        for row in rows:
            self.plays += 1
            if row[_SEAL] is None and self._is_older(row[_PLAYED_AT]):
                self.unsealed += 1
            else:
                self._judge(row)
            yield row

    def _is_older(self, played_at: object) -> bool:
        return self.begun_at is None or (isinstance(played_at, int) and played_at < self.begun_at)

    def _judge(self, row: Row) -> None:
        try:
            if is_sealed(dict(zip(PLAY_COLUMNS, row, strict=True)), self.ring):
                return
            why = "was changed or put in"
        except UnknownKeyError as error:
            why = f"is sealed with key {error.details['key_id']!r}, which is not on the ring"
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(Fault(flaw=Flaw.PLAY_CHANGED, words=f"{row[0]} {why}", subject=str(row[0])))
        else:
            self.untold += 1


def _expected(checkpoints: Iterable[Checkpoint]) -> dict[date, list[tuple[Checkpoint, Day]]]:
    """Return what signed checkpoints say of days; a changed one is a fault by itself and says nothing."""
    expected: dict[date, list[tuple[Checkpoint, Day]]] = {}
    for each in checkpoints:
        if each.is_signed:
            for day in each.statement.evidence:
                expected.setdefault(day.day, []).append((each, day))
    return expected


def _differing(expected: dict[date, list[tuple[Checkpoint, Day]]], found: dict[date, Day]) -> Iterator[Fault]:
    for on, statements in sorted(expected.items()):
        now = found.get(on, empty(on))
        for checkpoint, was in statements:
            if (was.plays, was.seals) != (now.plays, now.seals):
                words = f"checkpoint {checkpoint.source} has seen {was.plays} plays on {on}; there are {now.plays}"
                if was.plays == now.plays:
                    words += ", and not the same"
            elif was.outcomes not in {None, now.outcomes}:
                words = f"keys or endings of plays on {on} are not those that checkpoint {checkpoint.source} has seen"
            else:
                continue
            yield Fault(flaw=Flaw.PLAYS_DIFFER, words=words, subject=on.isoformat())
            break
