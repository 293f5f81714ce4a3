"""Golden cases: a folder with a request, the facts a dialect reads from it, and what it writes for a stated plan.

`request.json` holds the event, the parameters as the provider posts them, the callback token (its state, or text that
is no token of ours) and the plan in words, such as `play_to_caller public` or `connect whispering`. Nothing is decided
here. The request is signed, verified, read and answered through the dialect alone; in the response, tokens are written
`t=TOKEN`, loop marks `MARK` and the names of renditions `SHA256`. What differs in the dialect alone has the same name.
`python -m tests.contract.renew` writes the expectations anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, assert_never

from gateway.domain.e164 import E164
from gateway.domain.facts import CallFacts, Destination, Moment, Party, SipUri, Telephone
from gateway.domain.notice import CalleeNotice, Purpose
from gateway.domain.plan import (
    Acknowledge,
    Bridge,
    CallPlan,
    Connect,
    Decision,
    End,
    PlayToCallee,
    PlayToCaller,
    Reason,
    Step,
    SuspendLine,
)
from gateway.domain.route import Routes
from gateway.domain.standing import Ground
from gateway.privacy.errors import TokenRefusedError
from gateway.providers.dialect import Event
from tests.builders import (
    NOW,
    a_private_notice,
    a_public_notice,
    a_rendition,
    a_reply,
    a_warning,
    an_opener,
)
from tests.contract.dialects import LIFETIME, SEALER
from tests.contract.wires import wire_of

FOLDER = Path(__file__).resolve().parent
ORDER = "order-1"
CALLEE_NOTICES: dict[str, CalleeNotice] = {
    "warning": a_warning(),
    "opener": an_opener(),
    "private": a_private_notice(),
}
TWO_LANGUAGES = (a_rendition("public"), a_rendition("public", language="zh"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a case, as it is written in its folder."""

    facts: str
    response: str


def folders() -> list[Path]:
    """Return the folder of every case of every dialect, in order."""
    return sorted(path.parent for path in FOLDER.glob("*/cases/*/request.json"))


def response_file(folder: Path) -> Path:
    """Return where the response of a case is written down."""
    return folder / f"response.{wire_of(folder.parent.parent.name).extension}"


def expected(folder: Path) -> Outcome:
    return Outcome(
        facts=(folder / "facts.json").read_text(encoding="utf-8"),
        response=response_file(folder).read_text(encoding="utf-8"),
    )


def run(folder: Path) -> Outcome:
    """Put one request through its dialect."""
    request: dict[str, Any] = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    wire = wire_of(folder.parent.parent.name)
    dialect = wire.dialect(Routes(**request.get("routes", {})))
    event, token = Event(request["event"]), _token(request)
    params = dialect.verify(wire.delivery(event, token, request["params"]))
    try:
        facts = dialect.read(event, params, token, NOW)
    except TokenRefusedError as error:
        refused = {"refused": str(error.details["why"])}
        return Outcome(facts=_written(refused), response=wire.normalised(dialect.fall_through(event, params)))
    steps = tuple(_step(words, facts) for words in request["plan"])
    reason = Reason(request.get("reason", Reason.NO_ORDER.value))
    answer = dialect.render(CallPlan(steps=steps, decision=Decision.CONNECT, reason=reason), facts, NOW)
    return Outcome(facts=_written(_facts(facts)), response=wire.normalised(answer))


def _token(request: Mapping[str, Any]) -> str:
    token: str | dict[str, str] = request.get("token", "")
    if isinstance(token, str):
        return token
    return SEALER.seal(token, use=request["event"], now=NOW, lifetime=LIFETIME)


def _step(words: str, facts: CallFacts) -> Step:
    match words.split():
        case ["play_to_caller", "public"]:
            return PlayToCaller(order_id=ORDER, notice=a_public_notice())
        case ["play_to_caller", "public", "in", "two", "languages"]:
            return PlayToCaller(order_id=ORDER, notice=a_public_notice(renditions=TWO_LANGUAGES))
        case ["play_to_callee", purpose]:
            return PlayToCallee(order_id=ORDER, notice=CALLEE_NOTICES[purpose], listens=True)
        case ["reply", purpose]:
            return PlayToCallee(order_id=ORDER, notice=a_reply(Purpose(purpose)), listens=False)
        case ["suspend_line", ground]:
            return SuspendLine(order_id=ORDER, ground=Ground(ground))
        case ["acknowledge"]:
            return Acknowledge(order_id=ORDER)
        case ["connect"]:
            return Connect(destination=facts.destination)
        case ["connect", "whispering"]:
            return Connect(destination=facts.destination, whisper_for=ORDER)
        case ["bridge"]:
            return Bridge()
        case ["end"]:
            return End()
        case _:
            message = f"no step is called {words!r}"
            raise LookupError(message)


def _facts(facts: CallFacts) -> dict[str, object]:
    return {
        "provider": facts.provider,
        "provider_call_id": facts.provider_call_id,
        "caller": _party(facts.caller),
        "callee": _party(facts.callee),
        "destination": _destination(facts.destination),
        "capabilities": sorted(each.value for each in facts.capabilities),
        "urgency": facts.urgency.value,
        "moment": _moment(facts.moment),
    }


def _party(party: Party) -> dict[str, str]:
    return {"e164" if isinstance(party, E164) else "opaque": str(party)}


def _destination(destination: Destination) -> dict[str, str]:
    match destination:
        case Telephone(number=number, trunk_sid=trunk_sid):
            return {"telephone": number, "trunk_sid": trunk_sid}
        case SipUri(uri=uri):
            return {"sip": uri}
        case _:
            assert_never(destination)


def _moment(moment: Moment) -> dict[str, object]:
    values = {each.name: getattr(moment, each.name) for each in fields(moment)}
    plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
    return {"is": type(moment).__name__, **plain}


def _written(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
