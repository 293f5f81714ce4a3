"""What tests of a rotation share: a full register, and the steps of a rotation one after the other."""

import time
from collections.abc import Sequence

from sqlalchemy import select

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.privacy import key_file, key_steps
from gateway.privacy.blind_index import indexes_of_line
from gateway.privacy.ring import KeyRing
from gateway.register.tables import lines
from gateway.workflows import rotate_keys
from gateway.workflows.change import at_the_command_line
from gateway.workflows.rotate_keys import Pace, Progress, Timer

QUICK = Pace(rows=7, rest=0, least_rest=0)
TIMER = Timer(seconds=time.monotonic, sleep=time.sleep)


def change_key(parts: Parts) -> tuple[KeyRing, KeyRing]:
    """Make a new key active in the file and on the ring; return rings of the old key alone and of the new one alone."""
    path = parts.settings.key_file
    old = KeyRing(parts.keys.active)
    key_steps.add_key(path)
    key_steps.activate(path)
    parts.keys.replace(key_file.load(path))
    return old, KeyRing(parts.keys.active)


def rewrite_all(parts: Parts, pace: Pace = QUICK) -> Sequence[Progress]:
    """Tie the database to the active key and write everything again; return the steps."""
    rotate_keys.begin(parts.studio.engine, parts.keys, at_the_command_line(utc_now()))
    steps = list(rotate_keys.renew(parts.studio.engine, parts.keys, TIMER, pace))
    done = steps[-1].done if steps else 0
    rotate_keys.complete(parts.studio.engine, parts.keys, at_the_command_line(utc_now()), rows=done)
    return steps


def stands_under(parts: Parts, line: str, ring: KeyRing) -> bool:
    """Tell whether a line is in the register under a key of `ring`."""
    with parts.studio.engine.connect() as connection:
        statement = select(lines.c.line_id).where(lines.c.line_index.in_(indexes_of_line(E164(line), ring)))
        return connection.execute(statement).first() is not None
