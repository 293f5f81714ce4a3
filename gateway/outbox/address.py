"""Where a webhook may go: an address whose traffic nobody on the way can read."""

import ipaddress
from urllib.parse import urlsplit

import httpx

from gateway.outbox.errors import WebhookUrlError

LONGEST = 1000


def read_address(text: str) -> str:
    """Return `text` where it is an https URL, or http to this machine itself. Raises WebhookUrlError.

    The URL is not quoted in the refusal: it may hold a secret. Whether the host is one of the operator's own network is
    not asked, for courts have their systems there; only who may manage a court's webhooks can name it.
    """
    if len(text) > LONGEST:
        raise WebhookUrlError(why=f"it is longer than {LONGEST} characters")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise WebhookUrlError(why="it holds characters that must be written as %XX, or a host that must be in Punycode")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL) as error:
        raise WebhookUrlError(why="it is not a URL") from error
    if parts.username is not None or parts.password is not None:
        raise WebhookUrlError(why="it holds a user or a password; the receiver knows us by the signature")
    if not host or port == 0:
        raise WebhookUrlError(why="it names no host, or port 0")
    if parts.fragment:
        raise WebhookUrlError(why="it has a fragment (#), which is never sent")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        raise WebhookUrlError(
            why="it is not https; http may only go to this machine itself (127.0.0.1, ::1, localhost)"
        )
    return text


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
