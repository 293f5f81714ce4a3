"""Sign in at an identity provider.

What must survive the way there and back travels sealed in a ticket, which the browser keeps as a cookie: only the
browser that left may come back, so nobody can be signed in to somebody else's account by a link.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from gateway.audit.tags import Tag
from gateway.domain.rights import GATEWAY
from gateway.people import challenges, links, oidc, throttle
from gateway.people.challenges import LIFETIME, ChallengeSpentError, new_challenge
from gateway.people.errors import OidcRefusedError
from gateway.people.links import Owner
from gateway.people.oidc import Attempt, Identity, OidcSettings
from gateway.people.sessions import Method, Opened
from gateway.privacy.errors import TokenRefusedError
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import count_attempt, errand_of, open_session

_USE = "sign-in-oidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcDeparture:
    """Where to send the browser, and the ticket that it keeps until it comes back."""

    url: str = field(repr=False)
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcReturn:
    """What the browser brings back: the ticket that it kept, and what the provider put into the address."""

    ticket: str = field(repr=False)
    state: str = field(repr=False)
    code: str = field(repr=False)
    address: str = field(repr=False)


def begin_oidc(desk: PeopleDesk, settings: OidcSettings, http: httpx.Client, now: datetime) -> OidcDeparture:
    """Return where to send somebody who wants to sign in at the provider. Raises OidcAwayError."""
    attempt = Attempt(state=new_challenge(), nonce=new_challenge(), verifier=new_challenge())
    state = {"state": attempt.state, "nonce": attempt.nonce, "verifier": attempt.verifier, "issuer": settings.issuer}
    return OidcDeparture(
        url=oidc.authorization_url(settings, http, attempt),
        ticket=desk.sealer.seal(state, use=_USE, now=now, lifetime=LIFETIME),
    )


def sign_in_oidc(
    desk: PeopleDesk, settings: OidcSettings, http: httpx.Client, back: OidcReturn, now: datetime
) -> Opened:
    """Open a session for who comes back. Raises TooManyAttemptsError, OidcRefusedError, OidcAwayError."""
    by_address = throttle.by_address(back.address, desk.keys)
    count_attempt(desk.engine, now, by_address)
    try:
        attempt = _attempt(desk, settings, back, now)
        identity = oidc.redeem(settings, http, attempt, back.code, now)
        with desk.engine.begin() as connection:
            owner = links.owner_of(connection, desk.keys, identity)
        with change(desk.engine, desk.keys, errand_of(owner.person_id, now)) as done:
            challenges.spend(done.connection, attempt.state, now)
            _claim(desk, done, owner, identity)
            throttle.forgive(done.connection, None, by_address, now)
            return open_session(desk.keys, done, owner.person_id, Method.OIDC)
    except ChallengeSpentError as error:
        raise OidcRefusedError(why="this sign-in was finished already") from error
    except OidcRefusedError:
        with change(desk.engine, desk.keys, Errand(actor=GATEWAY, at=now)) as done:
            done.note(Tag.SIGN_IN_REFUSED, "", method=Method.OIDC.value)
        raise


def _claim(desk: PeopleDesk, done: Change, expected: Owner, identity: Identity) -> None:
    """Ask again, in the change itself, whose account it is: a reset may have come between. Link it where it is new."""
    owner = links.owner_of(done.connection, desk.keys, identity)
    if owner.person_id != expected.person_id:
        raise OidcRefusedError(why="its owner has just changed")
    if not owner.is_linked:
        links.link(done.connection, desk.keys, owner.person_id, identity, done.errand.at)
        done.note(Tag.CREDENTIAL_CHANGED, owner.person_id, change="oidc")


def _attempt(desk: PeopleDesk, settings: OidcSettings, back: OidcReturn, now: datetime) -> Attempt:
    try:
        kept = desk.sealer.open(back.ticket, use=_USE, now=now)
    except TokenRefusedError as error:
        raise OidcRefusedError(why="this browser did not start it, or took too long") from error
    if kept["issuer"] != settings.issuer or not hmac.compare_digest(kept["state"].encode(), _octets(back.state)):
        raise OidcRefusedError(why="its state is not that of this sign-in")
    return Attempt(state=kept["state"], nonce=kept["nonce"], verifier=kept["verifier"])


def _octets(text: str) -> bytes:
    return text.encode(errors="replace")
