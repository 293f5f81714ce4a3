"""What a rotation of keys writes again of people.

Secrets are kept as keyed hashes and cannot be hashed anew: they are recognised under the old key until they expire.
"""

import json

from gateway.people.directory import login_index
from gateway.people.links import subject_index
from gateway.people.tables import api_keys, oidc_links, passkeys, people
from gateway.privacy.keys import Keys
from gateway.privacy.rewrite import Found, Opened, Sealed


def _login(_row: Found, opened: Opened, keys: Keys) -> bytes:
    return login_index(opened["login"], keys)


def _subject(_row: Found, opened: Opened, keys: Keys) -> bytes:
    issuer, subject = json.loads(opened["subject"])
    return subject_index(issuer, subject, keys)


SEALED = (
    Sealed(table=people, name="people", columns=("login", "name", "password", "totp"), indexes={"login_index": _login}),
    Sealed(table=passkeys, name="passkeys", columns=("label",)),
    Sealed(
        table=oidc_links,
        name="oidc_links",
        columns=("subject",),
        placed_by=("person_id",),
        indexes={"subject_index": _subject},
    ),
    Sealed(table=api_keys, name="api_keys", columns=("name",)),
)
