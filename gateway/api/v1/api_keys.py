"""`/api-keys`: the keys of programs. A key's token is shown once, when it is issued."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from gateway.api.v1.fields import Name, Output, PageQuery
from gateway.api.v1.pages import read_after, write_cursor
from gateway.api.v1.people_models import PlaceIn, place
from gateway.api.v1.route import Answer, Call, Route
from gateway.domain.rights import Right
from gateway.people.api_keys import ApiKey, KeyDraft
from gateway.workflows.issue_api_key import issue_api_key, list_api_keys, read_api_key, revoke_api_key

_TAG = "API keys"


class KeyIn(PlaceIn):
    """A new key: which program it is for, what it may do, where, and until when (at most 366 days)."""

    name: Name
    rights: Annotated[list[Right], Field(min_length=1, max_length=len(Right))]
    expires_at: AwareDatetime


class KeyOut(Output):
    """A key without its token; `used_at` is true to the hour."""

    id: str
    name: str
    rights: list[Right]
    court: str | None
    district: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


class IssuedOut(Output):
    """A key with its token, which is shown this once and kept nowhere."""

    key: KeyOut
    token: str


class KeyPage(Output):
    """A page of keys, by their ids."""

    items: list[KeyOut]
    next: str | None


def list_keys(call: Call, query: PageQuery) -> Answer:
    """List the keys that you manage, revoked and expired ones too."""
    page = list_api_keys(call.desk.people, call.actor, after=read_after(query.cursor) or "", limit=query.limit)
    cursor = write_cursor(page.next_after) if page.next_after else None
    return Answer(model=KeyPage(items=[_shown(each) for each in page.keys], next=cursor), cursor=cursor)


def post_key(call: Call, body: KeyIn) -> Answer:
    """Issue a key; no key can approve, resolve disputes or administer."""
    draft = KeyDraft(name=body.name, rights=frozenset(body.rights), scope=body.to_domain(), expires_at=body.expires_at)
    issued = issue_api_key(call.desk.people, call.errand, draft)
    return Answer(
        model=IssuedOut(key=_shown(issued.key), token=issued.token), location=f"/api/v1/api-keys/{issued.key.key_id}"
    )


def get_key(call: Call, key_id: str) -> Answer:
    """Show a key."""
    return Answer(model=_shown(read_api_key(call.desk.people, call.actor, key_id)))


def post_revocation(call: Call, key_id: str) -> Answer:
    """Revoke a key, from its next request on; revoking it twice changes nothing."""
    return Answer(model=_shown(revoke_api_key(call.desk.people, call.errand, key_id)))


def _shown(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=key.key_id,
        name=key.name,
        rights=sorted(key.rights, key=lambda right: right.value),
        **place(key.scope),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        used_at=key.used_at,
    )


ROUTES = (
    Route(
        name="list_api_keys",
        method="GET",
        path="/api-keys",
        handler=list_keys,
        tag=_TAG,
        answer=KeyPage,
        query=PageQuery,
    ),
    Route(
        name="issue_api_key",
        method="POST",
        path="/api-keys",
        handler=post_key,
        tag=_TAG,
        answer=IssuedOut,
        status=201,
        body=KeyIn,
        example={
            "name": "Payment system",
            "rights": ["satisfaction:report"],
            "court": "lakeside",
            "expires_at": "2027-01-01T00:00:00+00:00",
        },
        refusals=frozenset({404}),
    ),
    Route(
        name="show_api_key",
        method="GET",
        path="/api-keys/<id:key_id>",
        handler=get_key,
        tag=_TAG,
        answer=KeyOut,
    ),
    Route(
        name="revoke_api_key",
        method="POST",
        path="/api-keys/<id:key_id>/revoke",
        handler=post_revocation,
        tag=_TAG,
        answer=KeyOut,
    ),
)
