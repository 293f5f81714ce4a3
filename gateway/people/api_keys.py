"""API keys of programs: rights in one place, for a bounded time, and never the right to approve or to administer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select, true, update

from gateway.domain.rights import API_KEY_RIGHTS, Grant, Right, Scope
from gateway.people.directory import read_name
from gateway.people.errors import (
    ApiKeyExpiredError,
    ApiKeyRevokedError,
    KeyLifetimeError,
    KeyRightsError,
    NotSignedInError,
    UnknownApiKeyError,
)
from gateway.people.roles import columns_of, scope_of
from gateway.people.tables import api_keys
from gateway.people.tokens import KeyToken, new_id, new_key_token
from gateway.privacy.blind_index import index_secret, indexes_of_secret, same
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)
# Who asks when a key was last used wants to know whether it is in use, not the second.
_COARSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDraft:
    """The key that somebody wants; `name` says which program it is for."""

    name: str
    rights: frozenset[Right]
    scope: Scope
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key without its secret; `used_at` is true to the hour."""

    key_id: str
    name: str
    rights: frozenset[Right]
    scope: Scope
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A key that was just issued; `token` is shown once and kept nowhere."""

    key: ApiKey
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInUse:
    """What a key that was presented may do; `rehash` and `is_due` say what its use should write down."""

    key_id: str
    grants: frozenset[Grant]
    rehash: bytes | None
    is_due: bool


def demand_possible(draft: KeyDraft, now: datetime) -> None:
    """Raise KeyRightsError or KeyLifetimeError where a key may not have what the draft says."""
    allowed = ", ".join(sorted(right.value for right in API_KEY_RIGHTS))
    if not draft.rights:
        raise KeyRightsError(rights="no right at all", why="it could do nothing", allowed=allowed)
    if beyond := draft.rights - API_KEY_RIGHTS:
        rights = ", ".join(sorted(right.value for right in beyond))
        raise KeyRightsError(rights=rights, why="only a person can be asked why", allowed=allowed)
    if not SHORTEST <= draft.expires_at - now <= LONGEST:
        raise KeyLifetimeError(shown=draft.expires_at - now)


def issue(connection: Connection, ring: KeyRing, draft: KeyDraft, *, created_by: str, now: datetime) -> IssuedKey:
    """Issue a key. Raises KeyRightsError, KeyLifetimeError, InvalidNameError."""
    demand_possible(draft, now)
    key = ApiKey(
        key_id=new_id("key"),
        name=read_name(draft.name),
        rights=draft.rights,
        scope=draft.scope,
        created_by=created_by,
        created_at=now,
        expires_at=draft.expires_at,
        revoked_at=None,
        used_at=None,
    )
    token = new_key_token(key.key_id)
    connection.execute(
        api_keys.insert().values(
            key_id=key.key_id,
            secret_hash=index_secret(token, ring),
            name=FieldCipher(ring).encrypt(key.name, place=f"api_keys.name:{key.key_id}"),
            rights=",".join(sorted(right.value for right in key.rights)),
            created_by=created_by,
            created_at=now,
            expires_at=key.expires_at,
            **columns_of(key.scope),
        )
    )
    return IssuedKey(key=key, token=token)


def find(connection: Connection, ring: KeyRing, token: KeyToken, now: datetime) -> KeyInUse:
    """Return what a presented key may do. Raises NotSignedInError, ApiKeyExpiredError, ApiKeyRevokedError.

    Only who has the secret learns whether a key was revoked or has expired.
    """
    row = connection.execute(select(api_keys).where(api_keys.c.key_id == token.key_id)).one_or_none()
    if row is None or not any(same(row.secret_hash, each) for each in indexes_of_secret(token.text, ring)):
        raise NotSignedInError
    if row.revoked_at is not None:
        raise ApiKeyRevokedError(key_id=row.key_id)
    if now >= row.expires_at:
        raise ApiKeyExpiredError(key_id=row.key_id, expired=row.expires_at)
    scope = scope_of(row.court_id, row.district_id)
    present = index_secret(token.text, ring)
    return KeyInUse(
        key_id=row.key_id,
        grants=frozenset(Grant(right=right, scope=scope) for right in _rights(row.rights) & API_KEY_RIGHTS),
        rehash=None if same(row.secret_hash, present) else present,
        is_due=row.used_at is None or now >= row.used_at + _COARSE,
    )


def note_use(connection: Connection, used: KeyInUse, now: datetime) -> None:
    """Write down that a key was used; one whose hash a rotation left behind is hashed anew, which only use can do."""
    values: dict[str, object] = {"used_at": now}
    if used.rehash is not None:
        values["secret_hash"] = used.rehash
    connection.execute(update(api_keys).where(api_keys.c.key_id == used.key_id).values(**values))


def get(connection: Connection, ring: KeyRing, key_id: str) -> ApiKey:
    """Return one key. Raises UnknownApiKeyError."""
    row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).one_or_none()
    if row is None:
        raise UnknownApiKeyError(key_id=key_id)
    return _key(row, FieldCipher(ring))


def page(
    connection: Connection, ring: KeyRing, *, visible: ColumnElement[bool] | None, after: str, limit: int
) -> tuple[ApiKey, ...]:
    """Return up to `limit` keys behind the id `after`, in the order of their ids; `visible` narrows them."""
    statement = select(api_keys).where(api_keys.c.key_id > after, true() if visible is None else visible)
    cipher = FieldCipher(ring)
    return tuple(_key(row, cipher) for row in connection.execute(statement.order_by(api_keys.c.key_id).limit(limit)))


def created_by(connection: Connection, person_id: str, now: datetime) -> tuple[str, ...]:
    """Return the ids of the keys in force that a person issued: who issued a key has seen its secret."""
    statement = select(api_keys.c.key_id).where(
        api_keys.c.created_by == person_id, api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now
    )
    return tuple(connection.execute(statement.order_by(api_keys.c.key_id)).scalars())


def revoke(connection: Connection, key_ids: Iterable[str], *, revoked_by: str, now: datetime) -> int:
    """Revoke keys and return how many of them were not revoked before."""
    statement = update(api_keys).where(api_keys.c.key_id.in_(list(key_ids)), api_keys.c.revoked_at.is_(None))
    return connection.execute(statement.values(revoked_at=now, revoked_by=revoked_by)).rowcount


def within(courts: frozenset[str], district_ids: frozenset[str] | Select[str]) -> ColumnElement[bool]:
    """Return the condition that a key lies in one of the courts or of the districts."""
    return or_(api_keys.c.court_id.in_(courts), api_keys.c.district_id.in_(district_ids))


def _key(row: Row[*tuple[object, ...]], cipher: FieldCipher) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        name=cipher.decrypt(row.name, place=f"api_keys.name:{row.key_id}"),
        rights=_rights(row.rights),
        scope=scope_of(row.court_id, row.district_id),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )


def _rights(text: str) -> frozenset[Right]:
    return frozenset(Right(each) for each in text.split(","))
