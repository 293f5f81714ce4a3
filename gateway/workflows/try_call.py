"""Try a call: what would be heard if a line were called, without a call, a provider, or a trace of it anywhere."""

from gateway.domain.bypass import BypassList
from gateway.domain.e164 import E164
from gateway.domain.facts import Arriving, CallFacts, Capability, Opaque, Party, Telephone
from gateway.domain.standing import NoOrders
from gateway.workflows import simulate_call
from gateway.workflows.change import Errand
from gateway.workflows.office import Office
from gateway.workflows.try_register import reach_to_try, standing_within
from gateway.workflows.try_script import TriedCall, TryScript, demand_usable
from gateway.workflows.try_walk import Walk

__all__ = ["try_call"]

_NO_BYPASS = BypassList()


def try_call(office: Office, script: TryScript, errand: Errand, bypass: BypassList = _NO_BYPASS) -> TriedCall:
    """Return what both parties would hear in the call of `script`. Nothing is recorded, counted or suspended.

    The asker needs the right to read orders somewhere, and only orders within that reach count: one outside of it is
    as if it did not exist, and so is what was played under it. Where a line is also under such an order, a real call
    may therefore go otherwise: that order may come first, or be a person's and silence the public notice.

    Orders, suspensions, districts and the plays on record count as they are now; the script's instant decides about
    periods, permitted hours, and how long ago a play was. Emergency callers are those of `bypass`. The call ends two
    seconds after the bridge, at the latest after five minutes. Raises NotAllowedError, InvalidNumberError,
    NaiveTimeError, UnusableScriptError, SQLAlchemyError.
    """
    reach = reach_to_try(errand.actor)
    demand_usable(script, errand.at)
    facts = _facts(script, bypass)
    line = facts.callee
    standing = standing_within(office, line, reach, script.at) if isinstance(line, E164) else NoOrders()
    walk = Walk(script, facts, standing, office.studio.library)
    first, tape = walk.walk(), walk.tape
    return TriedCall(
        decision=first.decision,
        reason=first.reason,
        order_id=first.order_id,
        timeline=tape.timeline(),
        heard=tuple(tape.heard),
        caller_wav=tape.recording_of(simulate_call.Party.CALLER),
        callee_wav=tape.recording_of(simulate_call.Party.CALLEE),
        seconds=tape.seconds,
    )


def _facts(script: TryScript, bypass: BypassList) -> CallFacts:
    """Return the facts of a call through a provider that can do everything. Raises InvalidNumberError."""
    line = E164.parse(script.callee)
    typed = script.caller.replace(" ", "")
    return CallFacts(
        provider="tried",
        provider_call_id="tried",
        caller=_caller(typed, bypass),
        callee=line,
        # Where the route table leads does not matter: nothing is dialled, and `decide` only passes it on.
        destination=Telephone(number=line.number),
        capabilities=frozenset(Capability),
        urgency=bypass.urgency_of(typed),
        moment=Arriving(),
    )


def _caller(typed: str, bypass: BypassList) -> Party:
    """Read the caller; an emergency call-back may show a short code, and who withholds the number shows none."""
    return Opaque(typed) if not typed or typed in bypass.callers else E164.parse(typed)
