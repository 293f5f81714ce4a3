"""SIP as a dialect: signature, facts and JSON put together."""

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.domain.bypass import BypassList
from gateway.domain.facts import CallFacts, Outcome
from gateway.domain.plan import CallPlan
from gateway.domain.route import Routes
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Answer, Delivery, Event, Params, first
from gateway.providers.sip.facts import NAME, FactsReader, IsLoopMark, ending_of, party_of, read_body
from gateway.providers.sip.render import Renderer, document
from gateway.providers.sip.signature import HEADER, SignatureCheck


class Sip:
    """The wire format of the bridge to Kamailio."""

    name = NAME
    signature_header = "HTTP_" + HEADER.upper().replace("-", "_")

    def __init__(
        self,
        *,
        secrets: tuple[str, ...],
        clock: Callable[[], datetime],
        keys: KeyRing,
        routes: Routes,
        bypass: BypassList,
        token_lifetime: timedelta,
    ) -> None:
        """Verify what `secrets` signed just now; connect callees along `routes`."""
        sealer = TokenSealer(keys)
        self._signature = SignatureCheck(secrets, clock)
        self._reader = FactsReader(routes=routes, bypass=bypass, sealer=sealer, is_loop_mark=_marks(keys))
        self._renderer = Renderer(sealer=sealer, lifetime=token_lifetime, loop_mark=keys.key_id)

    def verify(self, delivery: Delivery) -> Params:
        """Return the known parameters of an authentic request. Raises SignatureRefusedError."""
        self._signature.demand(delivery)
        return read_body(delivery.body)

    def read(self, event: Event, params: Params, token: str, now: datetime) -> CallFacts:
        """Return the facts. Raises TokenRefusedError."""
        return self._reader.read(event, params, token, now)

    def ending_of(self, params: Params) -> Outcome | None:
        """Return how the call ended."""
        return ending_of(params)

    def render(self, plan: CallPlan, facts: CallFacts, now: datetime) -> Answer:
        """Return JSON steps."""
        return self._renderer.render(plan, facts, now)

    def fall_through(self, event: Event, params: Params) -> Answer:
        """Connect the caller, bridge the callee, or end what is over."""
        match event:
            case Event.CALL | Event.HEARD:
                callee = party_of(first(params, "callee"))
                return self._renderer.plain(self._reader.destination_of(callee), str(callee))
            case Event.WHISPER | Event.KEY:
                return document({"bridge": {}})
            case Event.DIALLED:
                return document({"end": {}})
            case Event.STATUS:
                return Answer(body=b"", content_type="text/plain", status=204)


def _marks(keys: KeyRing) -> IsLoopMark:
    """Return what knows our marks: that of this worker, and those of workers that started under another key."""
    own = keys.key_id
    return lambda mark: mark in {own, *(each.key_id for each in keys.known)}
