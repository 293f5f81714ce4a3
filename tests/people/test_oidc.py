"""Signing in at an identity provider: at a real one in its own process, and at one that lies."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.people import oidc
from gateway.people.errors import OidcAwayError, OidcRefusedError, TooManyAttemptsError
from gateway.people.oidc import OidcSettings
from gateway.people.sessions import Opened
from gateway.people.throttle import FREE, Kind
from gateway.workflows.change_person import PersonEdit, change_person, close_person, reset_credentials
from gateway.workflows.identify import identify
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in_oidc import OidcDeparture, OidcReturn, begin_oidc, sign_in_oidc
from tests.people.desks import ADDRESS, LOGIN, add, at, trail_of
from tests.people.providers import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT,
    Lies,
    LyingProvider,
    consent,
    lying_provider,
    real_provider,
)

VERIFIED = {"email": LOGIN, "email_verified": True}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A real provider that knows three people."""
    users = (
        {"sub": "subject-1", **VERIFIED},
        {"sub": "subject-2", "email": LOGIN, "email_verified": False},
        {"sub": "subject-3", **VERIFIED},
    )
    with real_provider(*users) as started:
        yield started


@pytest.fixture
def liar() -> Iterator[LyingProvider]:
    with lying_provider() as started:
        yield started


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with oidc.client() as opened:
        yield opened


def settings(issuer: str, secret: str = CLIENT_SECRET) -> OidcSettings:
    return OidcSettings(issuer=issuer, client_id=CLIENT_ID, client_secret=secret, redirect_uri=REDIRECT)


def come_back(left: OidcDeparture, query: dict[str, str]) -> OidcReturn:
    return OidcReturn(ticket=left.ticket, state=query["state"], code=query["code"], address=ADDRESS)


def enter(
    desk: PeopleDesk, http: httpx.Client, issuer: str, subject: str = "subject-1", now: datetime | None = None
) -> Opened:
    """Sign in at the real provider."""
    left = begin_oidc(desk, settings(issuer), http, utc_now())
    back = come_back(left, consent(left.url, subject))
    return sign_in_oidc(desk, settings(issuer), http, back, now or utc_now())


def enter_at(desk: PeopleDesk, http: httpx.Client, liar: LyingProvider, secret: str = CLIENT_SECRET) -> Opened:
    """Sign in at the provider that may lie."""
    wanted = settings(liar.issuer, secret)
    left = begin_oidc(desk, wanted, http, utc_now())
    return sign_in_oidc(desk, wanted, http, come_back(left, liar.authorize(left.url)), utc_now())


def test_a_verified_address_that_is_the_login_opens_the_account_and_links_it(
    desk: PeopleDesk, http: httpx.Client, issuer: str
) -> None:
    ada = add(desk, oidc=True).person
    opened = enter(desk, http, issuer)
    assert identify(desk, opened.token, utc_now()).actor_id == ada.person_id
    # From now on the link counts, not the address: what the administrator allowed was to make it.
    change_person(desk, at(), ada.person_id, PersonEdit(oidc_allowed=False))
    assert enter(desk, http, issuer).person_id == ada.person_id
    assert trail_of(desk, ada.person_id) == [
        "people:person:added",
        "people:credential:changed",
        "people:session:opened",
        "people:person:changed",
        "people:session:opened",
    ]


def test_an_address_that_nobody_verified_or_allowed_opens_nothing(
    desk: PeopleDesk, http: httpx.Client, issuer: str
) -> None:
    ada = add(desk, oidc=True).person
    for subject in ("subject-2", "stranger@example.org"):
        with pytest.raises(OidcRefusedError):
            enter(desk, http, issuer, subject)
    change_person(desk, at(), ada.person_id, PersonEdit(oidc_allowed=False))
    with pytest.raises(OidcRefusedError):
        enter(desk, http, issuer)
    assert trail_of(desk, "")[-1] == "people:session:refused"


def test_a_second_account_with_the_same_address_takes_nothing_over(
    desk: PeopleDesk, http: httpx.Client, issuer: str
) -> None:
    add(desk, oidc=True)
    enter(desk, http, issuer, "subject-1")
    with pytest.raises(OidcRefusedError, match="another account"):
        enter(desk, http, issuer, "subject-3")


def test_an_end_closes_this_way_too_and_a_reset_undoes_the_link(
    desk: PeopleDesk, http: httpx.Client, issuer: str
) -> None:
    ada = add(desk, oidc=True).person
    enter(desk, http, issuer, "subject-1")
    reset_credentials(desk, at(), ada.person_id)
    enter(desk, http, issuer, "subject-3")
    close_person(desk, at(), ada.person_id, revoke_keys=False)
    for subject in ("subject-1", "subject-3"):
        with pytest.raises(OidcRefusedError):
            enter(desk, http, issuer, subject)


def test_an_id_token_that_has_expired_opens_nothing(desk: PeopleDesk, http: httpx.Client, issuer: str) -> None:
    add(desk, oidc=True)
    left = begin_oidc(desk, settings(issuer), http, utc_now() + timedelta(hours=2))
    back = come_back(left, consent(left.url, "subject-1"))
    with pytest.raises(OidcRefusedError, match="Expired"):
        sign_in_oidc(desk, settings(issuer), http, back, utc_now() + timedelta(hours=2))


def test_a_nonce_that_is_not_ours_opens_nothing(desk: PeopleDesk, http: httpx.Client, issuer: str) -> None:
    add(desk, oidc=True)
    left, other = (begin_oidc(desk, settings(issuer), http, utc_now()) for _ in range(2))
    # A code that was got in another sign-in is pushed into this one.
    code = consent(other.url, "subject-1")["code"]
    back = come_back(left, consent(left.url, "subject-1") | {"code": code})
    with pytest.raises(OidcRefusedError, match="InvalidClaim"):
        sign_in_oidc(desk, settings(issuer), http, back, utc_now())


def test_only_the_browser_that_left_comes_back_and_once_and_soon(
    desk: PeopleDesk, http: httpx.Client, liar: LyingProvider
) -> None:
    add(desk, oidc=True)
    liar.lies.claims = VERIFIED
    wanted, now = settings(liar.issuer), utc_now()
    other, left = (begin_oidc(desk, wanted, http, now) for _ in range(2))
    good = come_back(left, liar.authorize(left.url))
    elsewhere = OidcSettings(
        issuer="https://other.example.org", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uri=REDIRECT
    )
    for ticket, state, at_, of in (
        (other.ticket, good.state, now, wanted),
        ("", good.state, now, wanted),
        ("forged", good.state, now, wanted),
        (left.ticket, "", now, wanted),
        (left.ticket, "\ud800", now, wanted),
        (left.ticket, good.state, now + timedelta(minutes=10), wanted),
        (left.ticket, good.state, now, elsewhere),
    ):
        with pytest.raises(OidcRefusedError):
            sign_in_oidc(desk, of, http, OidcReturn(ticket=ticket, state=state, code=good.code, address=ADDRESS), at_)
    sign_in_oidc(desk, wanted, http, good, now)
    with pytest.raises(OidcRefusedError, match="finished"):
        sign_in_oidc(desk, wanted, http, good, now)


def test_the_way_there_carries_pkce_and_the_way_back_proves_it(
    desk: PeopleDesk, http: httpx.Client, liar: LyingProvider
) -> None:
    add(desk, oidc=True)
    liar.lies.claims = VERIFIED
    for methods in (("client_secret_basic",), ("client_secret_post",)):
        liar.lies.methods = methods
        enter_at(desk, http, liar)
    assert [("client_secret" in form) for form in liar.seen] == [False, True]
    assert len({form["code_verifier"] for form in liar.seen}) == 2
    with pytest.raises(OidcRefusedError, match="did not take the code"):
        enter_at(desk, http, liar, secret="another")


OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})
WRONG = {
    "another issuer": Lies(claims={"iss": "https://evil.example.org"}),
    "another audience": Lies(claims={"aud": "somebody else"}),
    "another audience with us as its party": Lies(claims={"aud": "somebody else", "azp": CLIENT_ID}),
    "another authorized party": Lies(claims={"aud": [CLIENT_ID, "other"], "azp": "other"}),
    "expired": Lies(claims={"exp": 1_700_000_000}),
    "another nonce": Lies(claims={"nonce": "another"}),
    "another signature": Lies(signs_with=OTHER_KEY),
    "no signature": Lies(unsigned=True),
    "a key that is not there": Lies(header={"kid": "two"}),
    "a token of another access token": Lies(claims={"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    **{f"no {name}": Lies(without=frozenset({name})) for name in ("iss", "sub", "aud", "exp", "iat", "nonce")},
}


def test_an_id_token_that_is_wrong_in_anything_opens_nothing(
    desk: PeopleDesk, http: httpx.Client, liar: LyingProvider
) -> None:
    add(desk, oidc=True)
    opened = {}
    for number, (what, lies) in enumerate({"nothing": Lies(), **WRONG}.items()):
        lies.claims = {**VERIFIED, **lies.claims}
        liar.lies = lies
        wanted = settings(liar.issuer)
        left = begin_oidc(desk, wanted, http, utc_now())
        query = liar.authorize(left.url)
        back = OidcReturn(ticket=left.ticket, state=query["state"], code=query["code"], address=f"192.0.2.{number}")
        try:
            sign_in_oidc(desk, wanted, http, back, utc_now())
            opened[what] = ""
        except GatewayError as error:
            opened[what] = error.code
    assert opened == {"nothing": "", **dict.fromkeys(WRONG, "oidc_refused")}


def test_a_token_signed_with_a_shared_secret_is_refused() -> None:
    secret = OctKey.generate_key(256, {"kid": "one"})
    wanted = settings("https://provider.example.org")
    with pytest.raises(OidcRefusedError):
        oidc.read_id_token(wanted, {"keys": [secret.as_dict(private=True)]}, hs256(secret), "nonce", utc_now())


def hs256(secret: OctKey) -> str:
    now = int(utc_now().timestamp())
    claims = {"iss": "https://provider.example.org", "sub": "s", "aud": CLIENT_ID, "iat": now, "exp": now + 60}
    return jwt.encode({"alg": "HS256", "kid": "one"}, {**claims, "nonce": "nonce"}, secret)


def test_an_address_told_apart_from_the_token_counts_if_it_is_of_the_same_subject(
    desk: PeopleDesk, http: httpx.Client, liar: LyingProvider
) -> None:
    add(desk, oidc=True)
    liar.lies.userinfo = {"sub": "subject-2", **VERIFIED}
    with pytest.raises(OidcRefusedError):
        enter_at(desk, http, liar)
    liar.lies.userinfo = {"sub": "subject-1", **VERIFIED}
    assert enter_at(desk, http, liar).token


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example.org"},
        {"token_endpoint": "http://evil.example.org/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
)
def test_a_provider_whose_document_is_wrong_is_not_used(http: httpx.Client, document: dict[str, str]) -> None:
    with lying_provider() as liar:
        liar.lies.document = document
        attempt = oidc.Attempt(state="s", nonce="n", verifier="v" * 43)
        with pytest.raises(OidcAwayError):
            oidc.authorization_url(settings(liar.issuer), http, attempt)


def test_a_provider_that_is_away_is_said_to_be_away(http: httpx.Client) -> None:
    attempt = oidc.Attempt(state="s", nonce="n", verifier="v" * 43)
    with lying_provider() as liar:
        gone = liar.issuer
        liar.lies.status = 503
        with pytest.raises(OidcAwayError, match="503"):
            oidc.authorization_url(settings(gone), http, attempt)
    for issuer in (gone, "http://provider.example.org", "not a url"):
        with pytest.raises(OidcAwayError):
            oidc.authorization_url(settings(issuer), http, attempt)


def test_coming_back_again_and_again_is_slowed_down(desk: PeopleDesk, http: httpx.Client) -> None:
    back = OidcReturn(ticket="forged", state="", code="", address=ADDRESS)
    wanted, now = settings("https://provider.example.org"), utc_now()
    for _ in range(FREE[Kind.ADDRESS]):
        with pytest.raises(OidcRefusedError):
            sign_in_oidc(desk, wanted, http, back, now)
    with pytest.raises(TooManyAttemptsError):
        sign_in_oidc(desk, wanted, http, back, now)
