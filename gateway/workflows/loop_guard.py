"""Finding calls that come back to us: a number dialled out whose provider hands it to this gateway again.

A call that left over SIP carries a mark and is known at once. A number dialled through the provider carries nothing, so
what is noticed is its rhythm: one caller ringing one line again and again, each call a call set-up after the last.
"""

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from hashlib import blake2b

from gateway.domain.e164 import E164
from gateway.domain.facts import Arriving, CallFacts, Telephone, Urgency

# A circle adds a call every half second to few seconds. Nobody redials 40 times in two minutes; and calls that come in
# faster than one can be set up do not follow from one another: a crowd behind one number is not taken for a circle.
WINDOW = timedelta(seconds=120)
MOST_CALLS = 40
FASTEST_TURN = timedelta(milliseconds=150)
_MOST_PAIRS = 4096
Seen = tuple[datetime, str, bool]


class LoopGuard:
    """Remembers, in one worker's memory and for two minutes, hashed pairs of parties; nothing of it is written down."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: OrderedDict[bytes, deque[Seen]] = OrderedDict()
        self._lock = threading.Lock()

    def is_loop(self, facts: CallFacts, now: datetime) -> bool:
        """Note the arriving call, and tell whether it is one turn of a circle.

        Only a line that is connected by dialling its own number can come back, and only a caller who shows a number can
        be told from others.
        """
        if not (
            isinstance(facts.moment, Arriving)
            and facts.urgency is Urgency.ORDINARY
            and isinstance(facts.destination, Telephone)
            and not facts.destination.trunk_sid
            and isinstance(facts.caller, E164)
            and isinstance(facts.callee, E164)
            and facts.destination.number == facts.callee.number
        ):
            return False
        pair = blake2b(f"{facts.caller.number}>{facts.callee.number}".encode(), digest_size=8).digest()
        with self._lock:
            calls = self._seen.setdefault(pair, deque(maxlen=MOST_CALLS))
            self._seen.move_to_end(pair)
            if len(self._seen) > _MOST_PAIRS:
                self._seen.popitem(last=False)
            return _is_turn(calls, facts.provider_call_id, now)


def _is_turn(calls: deque[Seen], call_id: str, now: datetime) -> bool:
    for _, seen, verdict in calls:
        if seen == call_id:
            return verdict  # A repeated webhook is no other call, and gets the same answer.
    if calls and now - calls[-1][0] < FASTEST_TURN:
        calls.clear()
    while calls and now - calls[0][0] > WINDOW:
        calls.popleft()
    full = len(calls) == MOST_CALLS
    calls.append((now, call_id, full))
    return full
