"""Issue, list and revoke API keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.audit.tags import Tag
from gateway.domain.rights import Actor, NotAllowedError, Right
from gateway.people import api_keys
from gateway.people.api_keys import ApiKey, IssuedKey, KeyDraft
from gateway.people.errors import UnknownApiKeyError
from gateway.people.roles import court_of, place_text
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.people_desk import MOST_ON_A_PAGE, PeopleDesk, demand_scope, reached_districts, reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage:
    """Some keys in the order of their ids; `next_after` is the id behind which more follow, or empty."""

    keys: tuple[ApiKey, ...]
    next_after: str


def issue_api_key(desk: PeopleDesk, errand: Errand, draft: KeyDraft) -> IssuedKey:
    """Issue a key in a place where the actor manages keys; its token is in the answer and nowhere else.

    Raises NotAllowedError, UnknownEntryError, KeyRightsError, KeyLifetimeError, InvalidNameError.
    """
    with change(desk.engine, desk.keys, errand) as done:
        demand_scope(done.connection, errand.actor, Right.API_KEYS_MANAGE, draft.scope)
        issued = api_keys.issue(done.connection, desk.keys, draft, created_by=errand.actor.actor_id, now=errand.at)
        done.note(
            Tag.API_KEY_ISSUED,
            issued.key.key_id,
            court_id=court_of(draft.scope),
            place=place_text(draft.scope),
            rights=",".join(sorted(right.value for right in draft.rights)),
            expires=draft.expires_at.isoformat(),
        )
        return issued


def revoke_api_key(desk: PeopleDesk, errand: Errand, key_id: str) -> ApiKey:
    """Revoke a key, from its next request on; revoking it twice changes nothing. Raises UnknownApiKeyError."""
    with change(desk.engine, desk.keys, errand) as done:
        key = api_keys.get(done.connection, desk.keys, key_id)
        if not reaches(done.connection, errand.actor, Right.API_KEYS_MANAGE, key.scope):
            raise UnknownApiKeyError(key_id=key_id)
        revoke_each(done, [key])
        return api_keys.get(done.connection, desk.keys, key_id)


def revoke_each(done: Change, keys: Iterable[ApiKey]) -> None:
    """Revoke keys in a change under way, each with its entry in the trail."""
    actor_id, now = done.errand.actor.actor_id, done.errand.at
    for key in keys:
        if api_keys.revoke(done.connection, [key.key_id], revoked_by=actor_id, now=now):
            done.note(Tag.API_KEY_REVOKED, key.key_id, court_id=court_of(key.scope))


def read_api_key(desk: PeopleDesk, actor: Actor, key_id: str) -> ApiKey:
    """Return one key without its secret. Raises UnknownApiKeyError."""
    with desk.reading.connect() as connection:
        key = api_keys.get(connection, desk.keys, key_id)
        if not reaches(connection, actor, Right.API_KEYS_MANAGE, key.scope):
            raise UnknownApiKeyError(key_id=key_id)
        return key


def list_api_keys(desk: PeopleDesk, actor: Actor, *, after: str = "", limit: int = 50) -> KeysPage:
    """Return the keys that the actor may manage, revoked and expired ones too. Raises NotAllowedError."""
    reach = actor.reach(Right.API_KEYS_MANAGE)
    if reach.is_empty:
        raise NotAllowedError(right=Right.API_KEYS_MANAGE.value, where="any court")
    visible = None if reach.everywhere else api_keys.within(reach.courts, reached_districts(reach))
    size = max(1, min(limit, MOST_ON_A_PAGE))
    with desk.reading.connect() as connection:
        found = api_keys.page(connection, desk.keys, visible=visible, after=after, limit=size + 1)
    more = len(found) > size
    return KeysPage(keys=found[:size], next_after=found[size - 1].key_id if more else "")
