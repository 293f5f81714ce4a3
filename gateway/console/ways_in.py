"""Which ways to sign in this installation offers at the console, beside password and code."""

from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import url_for

from gateway.console.desk import Desk
from gateway.people.oidc import OidcSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysIn:
    """What the page to sign in on offers."""

    passkeys: bool
    provider: bool


def ways_in(desk: Desk) -> WaysIn:
    """Return what there is to sign in with, beside password and code."""
    return WaysIn(passkeys=takes_passkeys(desk), provider=provider_of(desk) is not None)


def takes_passkeys(desk: Desk) -> bool:
    """Tell whether browsers make passkeys for this gateway; they make none for an IP address (WebAuthn, 5.1.3)."""
    try:
        ip_address(desk.people.party.party_id)
    except ValueError:
        return True
    return False


def provider_of(desk: Desk) -> OidcSettings | None:
    """Return the identity provider as the console uses it; None where it sends people back to another page.

    An empty `oidc_redirect_uri` means the console's own page. A program that signs people in through the API names a
    page of its own there: who left from the console would come back to it without the ticket that this browser keeps.
    """
    here = url_for("sign_in_oidc")
    if desk.oidc is None:
        return None
    if not desk.oidc.redirect_uri:
        return replace(desk.oidc, redirect_uri=desk.settings.public_origin + here)
    return desk.oidc if urlsplit(desk.oidc.redirect_uri).path == here else None
