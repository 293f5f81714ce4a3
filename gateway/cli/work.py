"""`notice-gateway work`."""

import os
import random
import signal
import sys
import threading
from functools import partial

import click

from gateway import log
from gateway.assembly import put_together
from gateway.cli.beside import stay_beside, stop_with
from gateway.cli.context import Tools
from gateway.clock import utc_now
from gateway.outbox.send import trust
from gateway.settings import Settings
from gateway.workflows import work as loop
from gateway.workflows.deliver_webhooks import Courier
from gateway.workflows.duties import handlers_of, rounds_of
from gateway.workflows.run_jobs import Workbench
from gateway.workflows.work import Crew

# Calls come first: what can wait gets the processor when nobody else wants it.
_NICENESS = 10


@click.command()
@click.option("--beside", type=int, metavar="PID", help="End with this process, and start again whenever it dies.")
@click.pass_obj
def work(tools: Tools, *, beside: int | None) -> None:
    """Deliver webhooks, carry out jobs, and do what is to be done each hour or day.

    `serve` starts one by itself; run more of them, on this host or on others, where there is more to do. They share the
    work through the database. SIGTERM ends one within ten seconds.
    """
    settings = tools.settings()
    os.nice(_NICENESS)
    if beside is None:
        _run(settings, parent=None)
    else:
        stay_beside(beside, partial(_run, settings, parent=os.getpid()))


def _run(settings: Settings, *, parent: int | None) -> None:
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _signal, _frame: stop.set())
    if parent is not None:
        stop_with(parent, stop)
    log.configure(settings.log_level)
    # Opened here and not before: a database connection does not survive a fork.
    parts = put_together(settings)
    office = parts.office
    bench = Workbench(engine=office.engine, keys=office.keys, clock=utc_now, stop=stop)
    courier = Courier(
        engine=office.engine, keys=office.keys, trusted=trust(), clock=utc_now, chance=random.SystemRandom().random
    )
    watch = parts.key_watch(lambda _error: None)
    crew = Crew(
        watch=parts.reading,
        bench=bench,
        courier=courier,
        handlers=handlers_of(office, utc_now),
        periodic=rounds_of(office, checkpoints=settings.checkpoints_dir, retention_days=settings.retention_days),
        look_at_keys=watch.look,
    )
    if loop.work(crew):
        parts.close()
        return
    # Python would wait for the threads of some libraries, and what is under way is taken up again in any case.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
