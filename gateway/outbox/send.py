"""Signing a message and sending it once, as Standard Webhooks 1.0.0 has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

import httpx
from standardwebhooks.webhooks import Webhook

# "A recommended request timeout value for webhooks is somewhere between 15 and 30s." Each step has 10 s of its own, so
# that a receiver that drips its answer byte by byte cannot hold a worker for longer than the whole may take.
STEP_SECONDS = 10.0
LONGEST_SECONDS = 20.0
MOST_ANSWER_BYTES = 64 * 1024
_SKIM_SECONDS = 2.0
_SUCCESS = range(200, 300)
_ASK_LATER = frozenset({429, 502, 503, 504})
_LONGEST_WAIT_SECONDS = 24 * 3600
_MOST_DIGITS = 9


class Trouble(Enum):
    """Why an attempt failed: words of ours, never of the receiver."""

    REFUSED_STATUS = "status"
    REDIRECT = "redirect"
    GONE = "gone"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    CUT_OFF = "cut_off"
    ADDRESS = "address"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an attempt; no `trouble` is success. `wait_seconds` is what the receiver asked for."""

    status: int | None
    trouble: Trouble | None
    wait_seconds: int = 0


def headers_of(message_id: str, body: str, signing: Sequence[str], now: datetime) -> Mapping[str, str]:
    """Return the headers of an attempt made now, signed with each of the secrets."""
    at = now.astimezone(UTC)
    signatures = (Webhook(secret).sign(message_id, at, body) for secret in signing)
    return {
        "content-type": "application/json",
        "user-agent": "court-notice-gateway",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def trust() -> ssl.SSLContext:
    """Return whom to trust: the public authorities, and those that the operator added to this machine."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def send(url: str, body: str, headers: Mapping[str, str], context: ssl.SSLContext) -> Answer:
    """Send once and return what came of it; never raises for what a receiver or the network does."""
    return asyncio.run(_send(url, body, headers, context))


async def _send(url: str, body: str, headers: Mapping[str, str], context: ssl.SSLContext) -> Answer:
    try:
        async with (
            asyncio.timeout(LONGEST_SECONDS),
            httpx.AsyncClient(verify=context, timeout=STEP_SECONDS, trust_env=False) as client,
            client.stream("POST", url, content=body.encode(), headers=headers) as response,
        ):
            # The status is the receiver's word; how the rest of the answer goes changes nothing about it.
            with suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(_SKIM_SECONDS):
                    await _skim(response)
            return _judge(response)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(status=None, trouble=Trouble.TIMEOUT)
    except httpx.ConnectError:
        return Answer(status=None, trouble=Trouble.UNREACHABLE)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        return Answer(status=None, trouble=Trouble.ADDRESS)
    except httpx.HTTPError:
        return Answer(status=None, trouble=Trouble.CUT_OFF)


async def _skim(response: httpx.Response) -> None:
    """Let the receiver finish a short answer, which nobody reads; a long one is cut off."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MOST_ANSWER_BYTES:
            return


def _judge(response: httpx.Response) -> Answer:
    status = response.status_code
    if status in _SUCCESS:
        return Answer(status=status, trouble=None)
    if status == httpx.codes.GONE:
        return Answer(status=status, trouble=Trouble.GONE)
    if response.is_redirect:
        return Answer(status=status, trouble=Trouble.REDIRECT)
    wait = _wait_of(response.headers.get("retry-after", "")) if status in _ASK_LATER else 0
    return Answer(status=status, trouble=Trouble.REFUSED_STATUS, wait_seconds=wait)


def _wait_of(text: str) -> int:
    """Return the seconds of a Retry-After header; one that gives a date is passed over."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        return 0
    return min(int(text), _LONGEST_WAIT_SECONDS)
