"""The race: calls to lines under orders, while another process lifts these orders one after another.

A notice is stale when its call was sent after the lift of its order had returned. There may be none, however busy the
machine is. The calls crowd around the line that is being lifted: each is rung before, during and after its lift.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from time import monotonic, sleep
from typing import IO, cast

from bench.calls import signed_call
from bench.checks import CheckError
from bench.data import Register, ordered_line
from bench.servers import Server

WORKERS = 4
_RINGERS, _CALLS_A_LIFT, _REACH = 8, 100, 6
# A kept-alive connection stays with one worker: new ones, now and then, come to all of them.
_CALLS_A_CONNECTION = 50
_CALLERS, _PATIENCE_SECONDS = 10_000, 30
_REST_SECONDS, _LIFTS_BEHIND = 0.001, 3
_PROGRAM = Path(__file__).with_name("lifts.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One call: the line's number, when it was sent, and whether a notice was its answer."""

    line: int
    sent: float
    notice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a race; `after` counts the calls that were sent after the lift of their line had returned."""

    database: str
    calls: int
    lifts: int
    notices: int
    after: int
    stale: int
    seconds: float


def race(register: Register, server: Server, calls_wanted: int) -> Found:
    """Ring and lift; the register is of no more use afterwards. Raises CheckError where nothing was raced at all."""
    began = monotonic()
    ringing = _Ringing(server, calls_wanted)
    lifted = _conduct(ringing, register)
    found = judge(register.name, ringing.rung, lifted, monotonic() - began)
    # The race is void where no notices were heard, or where nobody rang once the lifts were through.
    if found.calls != calls_wanted or min(found.notices, found.after) < found.calls // 10:
        raise CheckError(f"{found.notices} notices and {found.after} calls after a lift, of {found.calls}: no race")
    return found


def judge(database: str, rung: Iterable[Rung], lifted: Mapping[int, float], seconds: float) -> Found:
    """Count the calls; `lifted` tells when the lift of a line had returned."""
    rung = tuple(rung)
    after = [each for each in rung if each.line in lifted and each.sent > lifted[each.line]]
    return Found(
        database=database,
        calls=len(rung),
        lifts=len(lifted),
        notices=sum(each.notice for each in rung),
        after=len(after),
        stale=sum(each.notice for each in after),
        seconds=seconds,
    )


def table(races: Iterable[Found]) -> str:
    """Return the races as a table in Markdown."""
    lines = [
        "| calls during lifts | calls | lifts | notices | calls sent after their line's lift | stale notices |",
        "|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {each.database}, {WORKERS} workers | {each.calls:,} | {each.lifts:,} | {each.notices:,} | {each.after:,} |"
        f" **{each.stale}** |"
        for each in races
    )
    return "\n".join(lines) + "\n"


class _Ringing:
    """Threads that ring lines near the one that is being lifted, until enough calls were made."""

    def __init__(self, server: Server, wanted: int) -> None:
        self.place = 0
        self.rung: list[Rung] = []
        self._wanted = wanted
        self._address = ("127.0.0.1", server.port)
        # The next number of a counter and appending to a list are one step each: no thread can come between.
        self._numbers = count()
        self._failed = threading.Event()

    @contextmanager
    def under_way(self) -> Iterator[list[Future[None]]]:
        """Ring for as long as the context lasts, and then until enough calls were made. Raises what a thread raised."""
        with ThreadPoolExecutor(_RINGERS) as threads:
            ringers = [threads.submit(self._run) for _ in range(_RINGERS)]
            try:
                yield ringers
            except BaseException:
                self._failed.set()
                raise
            for ringer in ringers:
                ringer.result()

    def _run(self) -> None:
        try:
            while not self._failed.is_set():
                with socket.create_connection(self._address, timeout=_PATIENCE_SECONDS) as connection:
                    for number in islice(self._numbers, _CALLS_A_CONNECTION):
                        if number >= self._wanted:
                            return
                        self._await_lifts(number)
                        self.rung.append(self._ring(connection, number))
        except BaseException:
            self._failed.set()
            raise

    def _await_lifts(self, number: int) -> None:
        """Let the lifts keep up, on a machine that has much else to do: a call waits until few lifts are missing."""
        while number >= (self.place + _LIFTS_BEHIND) * _CALLS_A_LIFT and not self._failed.is_set():
            sleep(_REST_SECONDS)

    def _ring(self, connection: socket.socket, number: int) -> Rung:
        line = max(0, self.place + number % (2 * _REACH) - _REACH)
        call = signed_call(f"CA{number:032x}", f"+6187010{number % _CALLERS:04d}", ordered_line(line))
        request = call.over_the_wire()
        sent = monotonic()
        connection.sendall(request)
        answer = _read_answer(connection)
        if not answer.startswith(b"HTTP/1.1 200 ") or b"<Dial" not in answer:
            raise CheckError(f"a call was answered with {answer!r}")
        return Rung(line=line, sent=sent, notice=b"<Play>" in answer)


def _read_answer(connection: socket.socket) -> bytes:
    """Read one answer, by hand: http.client would cost as much as the gateway, on the same cores."""
    answer = b""
    while not answer.endswith(b"</Response>"):
        portion = connection.recv(65_536)
        if not portion:
            raise CheckError(f"the connection was closed after {answer!r}")
        answer += portion
    return answer


def _conduct(ringing: _Ringing, register: Register) -> dict[int, float]:
    """Lift the next order after every so many calls, and return when each lift had returned."""
    lifted: dict[int, float] = {}
    command = [sys.executable, str(_PROGRAM), str(register.folder), register.database_url]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as lifter,
        ringing.under_way() as ringers,
    ):
        # Both are pipes, as they were asked for.
        asked, answers = cast("IO[str]", lifter.stdin), cast("IO[str]", lifter.stdout)
        while not all(ringer.done() for ringer in ringers):
            if len(ringing.rung) < (ringing.place + 1) * _CALLS_A_LIFT:
                sleep(_REST_SECONDS)
                continue
            print(ringing.place, file=asked, flush=True)
            answer = answers.readline().split()
            if not answer:
                raise CheckError("the lifting process ended")
            lifted[int(answer[0])] = float(answer[1])
            ringing.place += 1
        asked.close()
    return lifted
