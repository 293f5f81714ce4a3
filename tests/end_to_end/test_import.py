"""Imports as processes: one is killed in the middle, one runs beside calls and lifts."""

import os
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.register.batches import BatchState
from gateway.register.tables import batches, orders
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order
from gateway.workflows.import_orders import ImportRequest, import_orders
from gateway.workflows.import_source import Source
from gateway.workflows.withdraw_batch import withdraw_batch
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import a_line, an_issued_order, wait_until_known
from tests.end_to_end.server import PROGRAM, Server
from tests.workflows.importing import a_document, a_row, a_table, as_csv

ROWS = 8_000


def a_file(folder: Path, name: str) -> Path:
    """Write a file of orders whose cases nobody else has."""
    path = folder / f"{name}.csv"
    path.write_bytes(as_csv(a_table(a_row(n, case_number=f"2026-{name}-{n}") for n in range(ROWS))))
    return path


def started(server: Server, file: Path) -> subprocess.Popen[bytes]:
    """Start `orders import` as a clerk would."""
    document = file.with_suffix(".pdf")
    document.write_bytes(b"%PDF-1.7 a signed order")
    command = [PROGRAM, "orders", "import", str(file), "--court", "lakeside", "--authority", str(document)]
    return subprocess.Popen(command, env=dict(server.env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def loaded(office: Parts) -> tuple[str, int]:
    """Return the newest batch, and how many orders it has so far."""
    with office.reading.connect() as connection:
        batch_id = (
            connection.execute(select(batches.c.batch_id).order_by(batches.c.created_at.desc())).scalars().first()
        )
        if batch_id is None:
            return "", 0
        count = select(func.count()).select_from(orders).where(orders.c.batch_id == batch_id)
        return batch_id, int(connection.execute(count).scalar_one())


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return
        time.sleep(0.1)
    raise AssertionError("processes that checked rows outlived their import")


def test_an_import_that_is_killed_leaves_nothing_in_sight_and_is_finished_or_withdrawn(
    server: Server, office: Parts, tmp_path: Path
) -> None:
    file = a_file(tmp_path, f"kill-{office.studio.engine.dialect.name}")
    process = started(server, file)
    helpers: list[int] = []
    batch_id, there = "", 0
    deadline = time.monotonic() + 240
    while there == 0 and process.poll() is None and time.monotonic() < deadline:
        helpers = children_of(process.pid) or helpers
        batch_id, there = loaded(office)
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert there > 0
    wait_until_gone(helpers)
    with office.reading.connect() as connection:
        state = connection.execute(select(batches.c.state).where(batches.c.batch_id == batch_id)).scalar()
    assert state == BatchState.LOADING.value
    request = ImportRequest(
        court_id="lakeside",
        source=Source(name=file.name, opened=lambda: file.open("rb")),
        document_sha256=a_document(office.office),
    )
    # Whoever was killed held a lease; half a minute later it is anybody's.
    done = import_orders(
        office.office, request, at_the_command_line(utc_now()), clock=lambda: utc_now() + timedelta(minutes=1)
    )
    assert (done.batch_id, done.counts.accepted) == (batch_id, ROWS)
    _, removed = withdraw_batch(office.office, batch_id, at_the_command_line(utc_now()))
    assert removed == ROWS


def test_calls_and_lifts_are_not_held_up_by_an_import(
    server: Server, office: Parts, twilio: Twilio, tmp_path: Path
) -> None:
    line = a_line()
    order = an_issued_order(office, line)
    wait_until_known(twilio, line)
    process = started(server, a_file(tmp_path, f"beside-{office.studio.engine.dialect.name}"))
    try:
        while loaded(office)[1] == 0 and process.poll() is None:
            assert twilio.ring("+12025550199").is_plain
        heard = [not twilio.ring(line).is_plain for _ in range(8)]
        began = time.monotonic()
        lift_order(office.studio.engine, office.keys, order.order_id, at_the_command_line(utc_now()))
        lifted_in = time.monotonic() - began
        assert all(twilio.ring(line).is_plain for _ in range(4))
        # A busy machine may cost a call its notice, for the call comes first; an import alone must not.
        assert sum(heard) >= 6
        assert lifted_in < 2
        out, _ = process.communicate(timeout=240)
    finally:
        process.kill()
        process.communicate()
    assert f"{ROWS} orders new" in out.decode()
    withdraw_batch(office.office, loaded(office)[0], at_the_command_line(utc_now()))
