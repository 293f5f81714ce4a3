"""Taking Twilio's part towards a gateway, for commands: its signatures, and the gateway's own explanations."""

import json
from datetime import timedelta

import httpx

from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.privacy.errors import TokenRefusedError
from gateway.privacy.ring import KeyRing
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Delivery, Event
from gateway.providers.twilio.player import TwilioPlayer
from gateway.providers.twilio.signature import SignatureCheck, compute
from gateway.settings import Settings, SettingsError
from gateway.workflows.simulate_call import Explanation


class NotOurExplanationError(GatewayError):
    """The gateway's explanation is {why}: it runs with another key. Give this command the same data folder."""

    code = "not_our_explanation"


class SealedExplainer:
    """Asks the gateway to explain its answers, by a token that only who has the keys can seal and open."""

    def __init__(self, sealer: TokenSealer) -> None:
        """Use the gateway's own keys."""
        self._sealer = sealer

    def ask(self) -> str:
        """Return the proof that we may know."""
        return self._sealer.seal({}, use="explain", now=utc_now(), lifetime=timedelta(minutes=5))

    def read(self, sealed: str) -> Explanation:
        """Open an explanation. Raises NotOurExplanationError."""
        try:
            state = self._sealer.open(sealed, use="explanation", now=utc_now())
        except TokenRefusedError as error:
            raise NotOurExplanationError(why=error.details["why"]) from error
        return Explanation(
            decision=state["decision"],
            reason=state["reason"],
            order=state["order"],
            prompts=json.loads(state["prompts"]),
        )


def new_http() -> httpx.Client:
    """Return an HTTP client that asks the gateway itself, whatever proxy the environment names; close it at the end."""
    return httpx.Client(trust_env=False)


def player_over(settings: Settings, keys: KeyRing, http: httpx.Client) -> TwilioPlayer:
    """Return the player that takes Twilio's part. Raises SettingsError where there is nothing to sign with."""
    tokens = settings.twilio_tokens
    if not tokens:
        raise SettingsError(where="NOTICE_GATEWAY_TWILIO_AUTH_TOKEN", why="it is not set, and nothing can be signed")
    return TwilioPlayer(settings.public_origin, tokens[0], SealedExplainer(TokenSealer(keys)), http)


def signature_works(settings: Settings) -> bool:
    """Sign a webhook with each token and check it, as the gateway does with Twilio's."""
    target, body, fields = "/twilio/call?self=test", b"To=%2B12025550100", {b"To": [b"+12025550100"]}
    check = SignatureCheck(settings.public_origin, settings.twilio_tokens)
    for token in settings.twilio_tokens:
        signature = compute(token.encode(), (settings.public_origin + target).encode(), fields)
        delivery = Delivery(
            event=Event.CALL,
            target=target,
            content_type="application/x-www-form-urlencoded",
            signature=signature.decode(),
            body=body,
        )
        if check.fields_of(delivery) != fields:
            return False
    return bool(settings.twilio_tokens)
