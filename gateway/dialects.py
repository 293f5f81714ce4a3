"""The dialects that the settings have secrets for, put together for whoever answers calls."""

from datetime import timedelta

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.providers.dialect import Dialect
from gateway.providers.sip.dialect import Sip
from gateway.providers.twilio.dialect import Twilio
from gateway.settings import SettingsError


def dialects(parts: Parts) -> tuple[Dialect, ...]:
    """Return the dialects that have a secret to verify with. Raises SettingsError where there is none."""
    settings, found = parts.settings, list[Dialect]()
    if settings.twilio_tokens:
        found.append(_twilio(parts))
    if settings.sip_secrets:
        found.append(sip(parts))
    if not found:
        raise SettingsError(
            where="NOTICE_GATEWAY_TWILIO_AUTH_TOKEN",
            why="it is not set, nor is NOTICE_GATEWAY_SIP_SECRET, and every call would be refused;"
            " copy it from the Twilio console",
        )
    return tuple(found)


def _twilio(parts: Parts) -> Twilio:
    settings = parts.settings
    return Twilio(
        origin=settings.public_origin,
        tokens=settings.twilio_tokens,
        keys=parts.keys,
        routes=settings.routes(),
        bypass=settings.bypass(),
        token_lifetime=timedelta(seconds=settings.token_seconds),
        ring_seconds=settings.ring_seconds,
    )


def sip(parts: Parts) -> Sip:
    """Return what the gateway and the bridge's own screen read and write alike."""
    settings = parts.settings
    return Sip(
        secrets=settings.sip_secrets,
        clock=utc_now,
        keys=parts.keys,
        routes=settings.routes(),
        bypass=settings.bypass(),
        token_lifetime=timedelta(seconds=settings.token_seconds),
    )
