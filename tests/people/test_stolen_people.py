"""Promise 5 for people: who steals the database learns no name, no login, and nothing to sign in with."""

from datetime import timedelta

from sqlalchemy import MetaData, select

from gateway.clock import utc_now
from gateway.domain.rights import Right, Role
from gateway.people import oidc
from gateway.people.api_keys import KeyDraft
from gateway.workflows.enrol import begin_enrolment, enrol_with_passkey
from gateway.workflows.issue_api_key import issue_api_key
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in_oidc import OidcReturn, begin_oidc, sign_in_oidc
from tests.people.authenticator import Authenticator
from tests.people.desks import ADDRESS, LAKESIDE, LOGIN, NAME, NOW, PASSWORD, add, at, enrolled, enter, role
from tests.people.providers import CLIENT_ID, CLIENT_SECRET, REDIRECT, lying_provider
from tests.people.test_oidc import VERIFIED


def oidc_person(desk: PeopleDesk) -> None:
    """Have somebody sign in at a provider, so that there is a link."""
    login = "oidc-canary@example.org"
    add(desk, login=login, oidc=True)
    with lying_provider() as provider, oidc.client() as http:
        provider.lies.claims = VERIFIED | {"email": login, "sub": "subject-canary"}
        wanted = oidc.OidcSettings(
            issuer=provider.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uri=REDIRECT
        )
        left = begin_oidc(desk, wanted, http, utc_now())
        query = provider.authorize(left.url)
        back = OidcReturn(ticket=left.ticket, state=query["state"], code=query["code"], address=ADDRESS)
        sign_in_oidc(desk, wanted, http, back, utc_now())


def dump(desk: PeopleDesk) -> bytes:
    metadata = MetaData()
    metadata.reflect(desk.engine)
    assert {"people", "roles", "passkeys", "sessions", "oidc_links", "api_keys", "sign_in_attempts"} <= set(
        metadata.tables
    )
    values: list[object] = []
    with desk.engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(select(table)).all()
            values += [value for row in rows for value in row]
            assert rows or table.name not in {"people", "passkeys", "sessions", "oidc_links", "api_keys"}
    return b"\n".join(bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode() for each in values)


def test_nothing_that_names_anybody_or_opens_anything_is_in_the_database(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK))
    session = enter(desk, ada).token
    draft = KeyDraft(
        name="canary program", rights=frozenset({Right.ORDERS_READ}), scope=LAKESIDE, expires_at=NOW + timedelta(days=9)
    )
    key = issue_api_key(desk, at(), draft).token
    added = add(desk, login="canary@example.org", name="Canary Person")
    offer = begin_enrolment(desk, added.enrolment_code, NOW)
    made = Authenticator().create(offer.passkey_options)
    enrol_with_passkey(desk, added.enrolment_code, offer.ticket, response=made, label="canary label", now=NOW)
    waiting = add(desk, login="waiting@example.org").enrolment_code
    oidc_person(desk)
    secrets = [LOGIN, NAME, PASSWORD, ADDRESS, ada.secret, session, key, waiting, "canary", "Canary", "$argon2id$"]
    secrets += [session.removeprefix("cns_"), key.split("_", 2)[2], waiting.removeprefix("cne_"), "waiting@"]
    found = dump(desk)
    assert ada.person_id.encode() in found
    assert [each for each in secrets if each.encode() in found or each.encode().hex().encode() in found] == []
