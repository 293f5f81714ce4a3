"""Lifts orders one after another, as an officer does: for each number of a line on its input, one answer on its output.

A program by itself, started by `lift_race.py`. An answer is the number and the instant at which the lift had returned,
on the clock that all processes of the machine share (CLOCK_MONOTONIC).
"""

import sys
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import select

from bench.data import ordered_line, settings_for
from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.privacy.blind_index import index_line
from gateway.register.tables import lines
from gateway.workflows.change import at_the_command_line
from gateway.workflows.end_order import lift_order


def main(folder: Path, database_url: str) -> None:
    """Lift until the input ends."""
    parts = put_together(settings_for(folder, database_url))
    for line in sys.stdin:
        number = int(line)
        lift_order(parts.studio.engine, parts.keys, _order_on(parts, number), at_the_command_line(utc_now()))
        print(number, monotonic(), flush=True)
    parts.close()


def _order_on(parts: Parts, number: int) -> str:
    wanted = index_line(E164(ordered_line(number)), parts.keys)
    with parts.reading.connect() as connection:
        order_id: str = connection.execute(select(lines.c.order_id).where(lines.c.line_index == wanted)).scalar_one()
        return order_id


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
