"""Signing in at an identity provider: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636).

What the provider vouches for is believed, its own second factor included: whoever configures it answers for that. The
provider's document and keys are read anew at each sign-in, so that a change of its keys needs nothing from us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gateway.people.errors import OidcAwayError, OidcRefusedError

# Asymmetric only: a provider whose client secrets sign its tokens lets every holder of the secret forge them.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LEEWAY_SECONDS = 30
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The provider and our account there; `redirect_uri` is where it sends people back to us."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...] = ("openid", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one sign-in remembers between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the provider vouches for; `email` is empty unless the provider has verified it."""

    issuer: str
    subject: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    """What the provider says about itself."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    takes_basic: bool


def client() -> httpx.Client:
    """Return an HTTP client that asks the provider, and nobody whom the provider or the environment names instead."""
    return httpx.Client(trust_env=False, follow_redirects=False, timeout=5.0)


def authorization_url(settings: OidcSettings, http: httpx.Client, attempt: Attempt) -> str:
    """Return where to send a person who wants to sign in. Raises OidcAwayError."""
    endpoint = _discover(settings, http).authorization
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": settings.redirect_uri,
        "scope": " ".join(settings.scopes),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": create_s256_code_challenge(attempt.verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def redeem(settings: OidcSettings, http: httpx.Client, attempt: Attempt, code: str, now: datetime) -> Identity:
    """Exchange the code for an ID token, and return whom that names. Raises OidcAwayError, OidcRefusedError."""
    provider = _discover(settings, http)
    tokens = _exchange(settings, provider, http, attempt, code)
    keys = _get(http, provider.keys)
    access = str(tokens.get("access_token", ""))
    claims = read_id_token(settings, keys, str(tokens.get("id_token", "")), attempt.nonce, now, access_token=access)
    if "email" not in claims and provider.userinfo and access:
        told = _get(http, provider.userinfo, bearer=access)
        # Section 5.3.2: what is told of somebody else must not be used.
        claims = {**told, **claims} if told.get("sub") == claims["sub"] else claims
    verified = claims.get("email_verified") is True and isinstance(claims.get("email"), str)
    return Identity(issuer=settings.issuer, subject=str(claims["sub"]), email=str(claims["email"]) if verified else "")


def read_id_token(
    settings: OidcSettings, keys: Mapping[str, Any], text: str, nonce: str, now: datetime, *, access_token: str = ""
) -> Mapping[str, Any]:
    """Return the claims of an ID token that is as OpenID Connect Core 1.0 section 3.1.3.7 wants it.

    Raises OidcRefusedError: signature, issuer, audience, authorized party, expiry or nonce.
    """
    try:
        token = jwt.decode(text, KeySet.import_key_set({"keys": list(keys.get("keys", []))}), algorithms=_ALGORITHMS)
        wanted = {
            "iss": {"essential": True, "value": settings.issuer},
            "aud": {"essential": True, "value": settings.client_id},
            "sub": {"essential": True},
        }
        expected = {"nonce": nonce, "client_id": settings.client_id, "access_token": access_token}
        claims = CodeIDToken(token.claims, token.header, wanted, expected)
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise OidcRefusedError(why=f"its ID token is not valid: {type(error).__name__}") from error
    return dict(claims)


def _discover(settings: OidcSettings, http: httpx.Client) -> _Provider:
    document = _get(http, settings.issuer.rstrip("/") + _DISCOVERY)
    if document.get("issuer") != settings.issuer:
        raise OidcAwayError(why="it calls itself by another issuer than ours is configured with")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    try:
        return _Provider(
            authorization=_safe(str(document["authorization_endpoint"])),
            token=_safe(str(document["token_endpoint"])),
            keys=_safe(str(document["jwks_uri"])),
            userinfo=_safe(str(document["userinfo_endpoint"])) if "userinfo_endpoint" in document else "",
            takes_basic="client_secret_basic" in methods or "client_secret_post" not in methods,
        )
    except (KeyError, TypeError) as error:
        raise OidcAwayError(why="its document names no endpoints") from error


def _exchange(
    settings: OidcSettings, provider: _Provider, http: httpx.Client, attempt: Attempt, code: str
) -> Mapping[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    # RFC 6749 section 2.3.1: both are form-encoded before they go into the header.
    basic = httpx.BasicAuth(quote(settings.client_id, safe=""), quote(settings.client_secret, safe=""))
    if not provider.takes_basic:
        form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
    try:
        answer = http.post(provider.token, data=form, auth=basic if provider.takes_basic else httpx.Auth())
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OidcAwayError(why=type(error).__name__) from error
    if answer.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED}:
        raise OidcRefusedError(why="the provider did not take the code")
    return _document(answer)


def _get(http: httpx.Client, url: str, *, bearer: str = "") -> Mapping[str, Any]:
    try:
        return _document(http.get(_safe(url), headers={"Authorization": f"Bearer {bearer}"} if bearer else {}))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OidcAwayError(why=type(error).__name__) from error


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    if answer.status_code != httpx.codes.OK:
        raise OidcAwayError(why=f"it answered {answer.status_code}")
    try:
        document = answer.json()
    except ValueError as error:
        raise OidcAwayError(why="it answered with something else than JSON") from error
    if not isinstance(document, dict):
        raise OidcAwayError(why="it answered with something else than a JSON object")
    return document


def _safe(url: str) -> str:
    """Return an address that goes over TLS, or never leaves this machine. Raises OidcAwayError."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise OidcAwayError(why="one of its addresses is not https")
