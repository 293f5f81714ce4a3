"""Finding calls that come back to us: a number dialled out whose provider hands it to this gateway again.

A call that left over SIP carries a mark and is known at once. A number dialled through the provider carries nothing, so
what is noticed is one caller ringing one line in many calls within seconds, none of which can have been answered yet.
"""

import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from hashlib import blake2b

from gateway.domain.e164 import E164
from gateway.domain.facts import Arriving, CallFacts, Telephone

WINDOW = timedelta(seconds=15)
# A person redials twice, a busy switchboard perhaps four times in 15 s; a circle adds a call each second or faster.
MOST_CALLS = 8
_MOST_PAIRS = 4096


class LoopGuard:
    """Remembers, in one worker's memory and for 15 s, hashed pairs of parties; nothing of it is ever written down."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: OrderedDict[bytes, deque[tuple[datetime, str]]] = OrderedDict()
        self._lock = threading.Lock()

    def is_loop(self, facts: CallFacts, now: datetime) -> bool:
        """Note the arriving call, and tell whether it is one turn of a circle.

        Only a line that is connected by dialling its own number can come back, and only a caller who shows a number can
        be told from others.
        """
        if not (
            isinstance(facts.moment, Arriving)
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
            while len(self._seen) > _MOST_PAIRS:
                self._seen.popitem(last=False)
            while calls and now - calls[0][0] > WINDOW:
                calls.popleft()
            if any(call_id == facts.provider_call_id for _, call_id in calls):
                return False
            full = len(calls) == MOST_CALLS
            calls.append((now, facts.provider_call_id))
            return full
