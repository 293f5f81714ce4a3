"""Staying beside gunicorn: the worker is started again when it dies, and ends when gunicorn's master does.

This process is no child of the master, which would take it for one of its own; it knows the master's end by a pidfd,
however that comes about, a SIGKILL included. The worker is its fork, and knows its end in the same way.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

import structlog

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_END_SECONDS = 10.0


def stay_beside(master: int, work: Callable[[], object]) -> None:
    """Keep a process that calls `work` until the process `master` has ended, or SIGTERM comes."""
    try:
        lives = os.pidfd_open(master)
    except ProcessLookupError:
        return
    bell, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _nothing)
    pause = _FIRST_PAUSE_SECONDS
    while True:
        begun = time.monotonic()
        child = _start(work)
        body = os.pidfd_open(child)
        ready = _wait((lives, bell, body), None)
        os.close(body)
        if body not in ready:
            _end(child)
            return
        _, status = os.waitpid(child, 0)
        if time.monotonic() - begun > _LONGEST_PAUSE_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        structlog.get_logger().error("worker_died", code=os.waitstatus_to_exitcode(status), again_in_seconds=pause)
        if _wait((lives, bell), pause):
            return
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def stop_with(parent: int, stop: threading.Event) -> None:
    """Set `stop` once the process `parent` has ended."""

    def watch() -> None:
        try:
            _wait((os.pidfd_open(parent),), None)
        finally:
            stop.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _start(work: Callable[[], object]) -> int:
    """Fork; the child works and never returns from here."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001  (what is not caught here would go on as a second parent)
        structlog.get_logger().error("worker_failed", exc_info=error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end(child: int) -> None:
    body = os.pidfd_open(child)
    os.kill(child, signal.SIGTERM)
    if not _wait((body,), _END_SECONDS):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _wait(descriptors: tuple[int, ...], seconds: float | None) -> set[int]:
    """Wait until one of these can be read; return those that can, none when the time is over."""
    poll = select.poll()
    for each in descriptors:
        poll.register(each, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)}


def _nothing(_signal: int, _frame: object) -> None:
    """Take a signal, which has rung the bell by then."""
