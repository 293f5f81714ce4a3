"""Twilio as a dialect: signature, facts and TwiML put together."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.domain.bypass import BypassList
from gateway.domain.facts import CallFacts, Outcome
from gateway.domain.plan import CallPlan
from gateway.domain.route import Routes
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Answer, Delivery, Event, Params
from gateway.providers.twilio.facts import NAME, PARAMETERS, FactsReader, IsLoopMark, called, ending_of, party_of
from gateway.providers.twilio.render import Renderer, document
from gateway.providers.twilio.signature import SignatureCheck


class Twilio:
    """Twilio's wire format."""

    name = NAME
    signature_header = "HTTP_X_TWILIO_SIGNATURE"

    def __init__(
        self,
        *,
        origin: str,
        tokens: tuple[str, ...],
        keys: KeyRing,
        routes: Routes,
        bypass: BypassList,
        token_lifetime: timedelta,
        ring_seconds: int,
    ) -> None:
        """Verify what `tokens` signed for `origin`; connect callees along `routes`."""
        sealer = TokenSealer(keys)
        self._signature = SignatureCheck(origin, tokens)
        self._routes = routes
        self._reader = FactsReader(routes=routes, bypass=bypass, sealer=sealer, is_loop_mark=_marks(keys))
        self._renderer = Renderer(
            origin=origin,
            sealer=sealer,
            lifetime=token_lifetime,
            ring_seconds=ring_seconds,
            loop_mark=keys.key_id,
        )

    def verify(self, delivery: Delivery) -> Params:
        """Return the known parameters of an authentic webhook. Raises SignatureRefusedError."""
        fields = self._signature.fields_of(delivery)
        return {name: _texts(fields[key]) for name, key in PARAMETERS.items() if key in fields}

    def read(self, event: Event, params: Params, token: str, now: datetime) -> CallFacts:
        """Return the facts. Raises TokenRefusedError."""
        return self._reader.read(event, params, token, now)

    def ending_of(self, params: Params) -> Outcome | None:
        """Return how the caller's leg ended."""
        return ending_of(params)

    def render(self, plan: CallPlan, facts: CallFacts, now: datetime) -> Answer:
        """Return TwiML."""
        return self._renderer.render(plan, facts, now)

    def fall_through(self, event: Event, params: Params) -> Answer:
        """Connect the caller, bridge the callee, or end what is over."""
        match event:
            case Event.CALL | Event.HEARD:
                destination = self._routes.destination_of(party_of(called(params)))
                return self._renderer.plain(destination, answered=event is Event.HEARD)
            case Event.WHISPER | Event.KEY:
                return document()
            case Event.DIALLED:
                return document("<Hangup/>")
            case Event.STATUS:
                return Answer(body=b"", content_type="text/plain", status=204)


def _texts(values: Sequence[bytes]) -> tuple[str, ...]:
    if len(values) == 1:
        return (values[0].decode(errors="replace"),)
    return tuple(value.decode(errors="replace") for value in values)


def _marks(keys: KeyRing) -> IsLoopMark:
    """Return what knows our marks: that of this worker, and those of workers that started under another key."""
    own = keys.key_id
    return lambda mark: mark in {own, *(each.key_id for each in keys.known)}
