"""API keys: who issues them, with which rights, where and for how long, and what becomes of them."""

from datetime import timedelta

import pytest

from gateway.domain.errors import GatewayError
from gateway.domain.rights import API_KEY_RIGHTS, Actor, InCourt, NotAllowedError, Right, Role, Scope
from gateway.people.api_keys import IssuedKey, KeyDraft
from gateway.people.errors import InvalidNameError, KeyLifetimeError, KeyRightsError, UnknownApiKeyError
from gateway.register.errors import UnknownEntryError
from gateway.workflows.change_person import close_person
from gateway.workflows.identify import identify
from gateway.workflows.issue_api_key import issue_api_key, list_api_keys, read_api_key, revoke_api_key
from gateway.workflows.people_desk import PeopleDesk
from tests.people.desks import EVERYWHERE, LAKESIDE, NORTH, NOW, THAMESIDE, add, an_actor, at, role, trail_of

OF_ALL = an_actor(role(Role.ADMINISTRATOR, EVERYWHERE))
OF_LAKESIDE = an_actor(role(Role.ADMINISTRATOR, LAKESIDE))
MONTH = timedelta(days=30)


def issue(
    desk: PeopleDesk,
    scope: Scope = LAKESIDE,
    *,
    rights: frozenset[Right] = frozenset({Right.SATISFACTION_REPORT}),
    actor: Actor = OF_ALL,
    name: str = "payments",
    lasts: timedelta = MONTH,
) -> IssuedKey:
    return issue_api_key(desk, at(actor=actor), KeyDraft(name=name, rights=rights, scope=scope, expires_at=NOW + lasts))


def test_a_key_is_shown_once_and_read_without_its_secret(desk: PeopleDesk) -> None:
    issued = issue(desk)
    secret = issued.token.split("_", 2)[2]
    assert secret not in repr(issued)
    read = read_api_key(desk, OF_LAKESIDE, issued.key.key_id)
    assert read == issued.key
    assert secret not in repr(read)
    assert trail_of(desk, issued.key.key_id) == ["people:api_key:issued"]


def test_no_key_approves_resolves_or_administers(desk: PeopleDesk) -> None:
    assert {Right.ORDERS_APPROVE, Right.DISPUTES_RESOLVE, Right.PEOPLE_MANAGE} <= set(Right) - API_KEY_RIGHTS
    for right in set(Right) - API_KEY_RIGHTS:
        with pytest.raises(KeyRightsError, match=right.value):
            issue(desk, rights=frozenset({right, Right.ORDERS_READ}))


def test_a_key_needs_a_right_a_name_and_an_end_within_a_year(desk: PeopleDesk) -> None:
    with pytest.raises(KeyRightsError):
        issue(desk, rights=frozenset())
    with pytest.raises(InvalidNameError):
        issue(desk, name=" ")
    for lasts in (timedelta(0), timedelta(seconds=59), timedelta(days=-1), timedelta(days=366, seconds=1)):
        with pytest.raises(KeyLifetimeError):
            issue(desk, lasts=lasts)
    issue(desk, lasts=timedelta(days=366))


@pytest.mark.parametrize(
    ("actor", "scope", "error"),
    [
        (OF_LAKESIDE, EVERYWHERE, NotAllowedError),
        (OF_LAKESIDE, THAMESIDE, UnknownEntryError),
        (an_actor(role(Role.ADMINISTRATOR, NORTH)), LAKESIDE, NotAllowedError),
        (an_actor(role(Role.CLERK, LAKESIDE)), LAKESIDE, NotAllowedError),
        (OF_ALL, InCourt(court_id="nowhere"), UnknownEntryError),
    ],
)
def test_a_key_reaches_no_further_than_who_issues_it(
    desk: PeopleDesk, actor: Actor, scope: Scope, error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        issue(desk, scope, actor=actor)
    assert issue(desk, NORTH, actor=OF_LAKESIDE).key.scope == NORTH


def test_a_key_out_of_reach_does_not_exist(desk: PeopleDesk) -> None:
    for scope in (THAMESIDE, EVERYWHERE):
        key_id = issue(desk, scope).key.key_id
        with pytest.raises(UnknownApiKeyError):
            revoke_api_key(desk, at(actor=OF_LAKESIDE), key_id)
        with pytest.raises(UnknownApiKeyError):
            read_api_key(desk, OF_LAKESIDE, key_id)
    with pytest.raises(UnknownApiKeyError):
        revoke_api_key(desk, at(actor=OF_ALL), "key_nothing")


def test_revoking_twice_changes_nothing(desk: PeopleDesk) -> None:
    key_id = issue(desk).key.key_id
    once = revoke_api_key(desk, at(actor=OF_LAKESIDE), key_id)
    assert once.revoked_at == NOW
    assert revoke_api_key(desk, at(NOW + MONTH, OF_ALL), key_id) == once
    assert trail_of(desk, key_id) == ["people:api_key:issued", "people:api_key:revoked"]


def test_lists_show_the_keys_within_reach_page_by_page(desk: PeopleDesk) -> None:
    ids = {scope: issue(desk, scope).key.key_id for scope in (LAKESIDE, NORTH, THAMESIDE, EVERYWHERE)}

    def seen(actor: Actor) -> list[str]:
        found: list[str] = []
        after = ""
        while True:
            page = list_api_keys(desk, actor, after=after, limit=1)
            found += [each.key_id for each in page.keys]
            after = page.next_after
            if not after:
                return found

    assert seen(OF_ALL) == sorted(ids.values())
    assert seen(OF_LAKESIDE) == sorted([ids[LAKESIDE], ids[NORTH]])
    assert seen(an_actor(role(Role.ADMINISTRATOR, NORTH))) == [ids[NORTH]]
    with pytest.raises(NotAllowedError):
        list_api_keys(desk, an_actor(role(Role.CLERK, EVERYWHERE)))


def test_whose_issuer_leaves_is_named_and_goes_on_or_is_revoked_as_told(desk: PeopleDesk) -> None:
    tokens = []
    for number, revoke in enumerate((False, True)):
        leaver = add(desk, role(Role.ADMINISTRATOR, LAKESIDE), login=f"{number}@example.org").person.person_id
        own = an_actor(role(Role.ADMINISTRATOR, LAKESIDE), actor_id=leaver)
        issued = issue(desk, actor=own)
        closed = close_person(desk, at(actor=OF_ALL), leaver, revoke_keys=revoke)
        assert closed.keys_left == (() if revoke else (issued.key.key_id,))
        tokens.append(issued.token)
    assert identify(desk, tokens[0], NOW).grants
    with pytest.raises(GatewayError) as refused:
        identify(desk, tokens[1], NOW)
    assert refused.value.code == "api_key_revoked"
