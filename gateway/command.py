"""What the console script loads: the command line, with the parts that only this place may put together."""

import json
from contextlib import ExitStack
from datetime import timedelta

import httpx

from gateway import log
from gateway.assembly import Parts, prepare, put_together
from gateway.cli import main as command_line
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.privacy.errors import TokenRefusedError
from gateway.privacy.token import TokenSealer
from gateway.providers.dialect import Delivery, Event
from gateway.providers.twilio.player import TwilioPlayer
from gateway.providers.twilio.signature import SignatureCheck, compute
from gateway.settings import Settings, SettingsError, load
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


class Program:
    """What every command gets as `ctx.obj`; nothing is opened before a command asks for it, and all of it is closed."""

    def __init__(self, opened: ExitStack) -> None:
        """Leave what is opened to `opened`, which the caller closes."""
        self._opened = opened

    def settings(self) -> Settings:
        """Read the settings. Raises SettingsError."""
        settings = load()
        log.configure(settings.log_level)
        return settings

    def prepared(self) -> Parts:
        """Return the parts, creating what is missing."""
        return self._kept(prepare(self.settings()))

    def parts(self) -> Parts:
        """Return the parts of a gateway that is there already."""
        return self._kept(put_together(self.settings()))

    def _kept(self, parts: Parts) -> Parts:
        self._opened.callback(parts.close)
        return parts

    def player_for_calls(self) -> TwilioPlayer:
        """Return the player that takes Twilio's part."""
        parts = self.parts()
        tokens = parts.settings.twilio_tokens
        if not tokens:
            raise SettingsError(
                where="NOTICE_GATEWAY_TWILIO_AUTH_TOKEN", why="it is not set, and nothing can be signed"
            )
        sealer = TokenSealer(parts.keys)
        http = self._opened.enter_context(httpx.Client(trust_env=False))
        return TwilioPlayer(parts.settings.public_origin, tokens[0], SealedExplainer(sealer), http)

    def run_sip_bridge(self) -> None:
        """Run the bridge to Kamailio until it is told to stop. Raises SettingsError."""
        # Here, for what the bridge alone needs (aiohttp) would make every command start a tenth later.
        from gateway.providers.sip.bridge.program import run_bridge  # noqa: PLC0415

        run_bridge(self.settings(), utc_now)

    def signature_works(self, settings: Settings) -> bool:
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


def main() -> None:
    """Run `notice-gateway`."""
    with ExitStack() as opened:
        command_line.main(Program(opened))
