"""Check and encrypt portions of rows that come through standard input: a program, started by `import_crew`.

It ends when its input does. What it could not do is answered by the error's kind and place alone: a message might quote
a row.
"""

import marshal
import os
import pickle
import sys
from traceback import extract_tb

from gateway.db.engine import open_for_reading
from gateway.privacy.ring import KeyRing
from gateway.workflows.import_check import Checker
from gateway.workflows.import_crew import Instructions, receive, send

# Calls come first: what can wait gets the processor when nobody else wants it.
_NICENESS = 5


def main() -> None:
    """Read the instructions, then answer each portion."""
    os.nice(_NICENESS)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    begun = receive(source)
    if begun is None:
        return
    told = pickle.loads(begun)  # noqa: S301  (it comes from the process that started this one)
    if not isinstance(told, Instructions):
        return
    reading = open_for_reading(told.database)
    checker = Checker(told.terms, KeyRing(told.keys[0], others=told.keys[1:]), reading)
    while (portion := receive(source)) is not None:
        try:
            checked = checker.check(marshal.loads(portion))  # noqa: S302  (as above)
            answer = marshal.dumps((checked.seen, checked.flaws, checked.loaded))
        except Exception as error:  # noqa: BLE001  (the parent has to know, and tells its user)
            place = extract_tb(error.__traceback__)[-1]
            answer = marshal.dumps(f"{type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}")  # noqa: PTH119
        send(target, answer)
    reading.dispose()


if __name__ == "__main__":
    main()
