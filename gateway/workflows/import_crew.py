"""The crew of an import: processes that check and encrypt portions of rows, while this one reads and writes.

They are programs of their own (`check_rows`), which get the terms and the keys through a pipe. A pipe ends with this
process, however that comes about, and they with it. A small file is checked here, for they take a second to start.
"""

import marshal
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from queue import SimpleQueue
from typing import IO, Self

from sqlalchemy import Engine

from gateway.domain.errors import GatewayError
from gateway.privacy.keys import Keys
from gateway.privacy.ring import KeyRing
from gateway.workflows.import_check import Checked, Checker, Rows
from gateway.workflows.import_rows import Terms

SMALL = 4
MOST_WORKERS = 8
_PROGRAM = "gateway.workflows.check_rows"
_SIZE_BYTES = 8


class CrewError(GatewayError):
    """A process that checks rows ended early ({why}). Nothing of this file is half-written: import it again."""

    code = "import_crew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What a process of the crew needs to know; it goes through a pipe, for it holds keys."""

    terms: Terms
    keys: tuple[Keys, ...] = field(repr=False)
    database: str = field(repr=False)


def check_all(portions: Iterable[Rows], terms: Terms, keys: KeyRing, reading: Engine) -> Iterator[tuple[Rows, Checked]]:
    """Yield each portion with what became of it, in their order. Raises CrewError."""
    begun = iter(portions)
    first = list(islice(begun, SMALL))
    if len(first) < SMALL:
        checker = Checker(terms, keys, reading)
        yield from ((portion, checker.check(portion)) for portion in first)
        return
    url = reading.url.render_as_string(hide_password=False)
    instructions = Instructions(terms=terms, keys=keys.known, database=url)
    with ExitStack() as opened:
        size = max(1, min(os.cpu_count() or 1, MOST_WORKERS))
        idle: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(size):
            idle.put(opened.enter_context(_Worker(instructions)))
        threads = opened.enter_context(ThreadPoolExecutor(size, thread_name_prefix="import"))
        yield from _shared_out(chain(first, begun), idle, threads, size)


def _shared_out(
    portions: Iterator[Rows], idle: "SimpleQueue[_Worker]", threads: ThreadPoolExecutor, size: int
) -> Iterator[tuple[Rows, Checked]]:
    """Hand portions out so that nobody waits, and hold no more of them than that takes."""

    def check(portion: Rows) -> Checked:
        worker = idle.get()
        try:
            return worker.check(portion)
        finally:
            idle.put(worker)

    under_way: deque[tuple[Rows, Future[Checked]]] = deque()
    try:
        for portion in portions:
            under_way.append((portion, threads.submit(check, portion)))
            if len(under_way) > 2 * size:
                done, future = under_way.popleft()
                yield done, future.result()
        while under_way:
            done, future = under_way.popleft()
            yield done, future.result()
    finally:
        for _, future in under_way:
            future.cancel()


class _Worker:
    """One process of the crew; a context that ends it."""

    def __init__(self, instructions: Instructions) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (this interpreter and a module of this package)
            [sys.executable, "-I", "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
        )
        self._send(pickle.dumps(instructions))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def check(self, portion: Rows) -> Checked:
        """Have a portion checked. Raises CrewError."""
        self._send(marshal.dumps(portion))
        answer = receive(self._process.stdout) if self._process.stdout is not None else None
        if answer is None:
            raise CrewError(why=f"status {self._process.wait()}")
        said = marshal.loads(answer)  # noqa: S302  (our own process wrote it)
        if isinstance(said, str):
            raise CrewError(why=said)
        seen, flaws, loaded = said
        return Checked(seen=seen, flaws=flaws, loaded=loaded)

    def _send(self, frame: bytes) -> None:
        if self._process.stdin is None:
            raise CrewError(why="no pipe")
        try:
            send(self._process.stdin, frame)
        except OSError as error:
            raise CrewError(why=f"status {self._process.wait()}") from error


def send(pipe: IO[bytes], frame: bytes) -> None:
    """Write a frame: its length, then itself."""
    pipe.write(len(frame).to_bytes(_SIZE_BYTES, "big"))
    pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read a frame, or None where the other side has ended."""
    size = pipe.read(_SIZE_BYTES)
    if len(size) < _SIZE_BYTES:
        return None
    frame = pipe.read(int.from_bytes(size, "big"))
    return frame if len(frame) == int.from_bytes(size, "big") else None
