"""ETags: what a client has already, and which version a change was decided on (RFC 9110 sections 8.8.3 and 13).

An ETag holds the resource's version, where it has one, and a hash of what was shown. A change is checked against the
version alone: time moves what is shown (an order comes into force) without anybody having changed it.
"""

import re
from hashlib import blake2b

from werkzeug.datastructures import ETags

from gateway.domain.errors import GatewayError, StaleVersionError

_OURS = re.compile(r"v(\d{1,9})-[0-9a-f]{16}")


class VersionMissingError(GatewayError):
    """The version that this change was decided on is missing; send the ETag of what you read in the header If-Match."""

    code = "version_missing"


def etag_of(shown: bytes, version: int | None) -> str:
    """Return the ETag, without its quotes."""
    digest = blake2b(shown, digest_size=8).hexdigest()
    return digest if version is None else f"v{version}-{digest}"


def expected_version(if_match: ETags, what: str) -> int | None:
    """Return the version that If-Match names; None for `*`, and where there is no such header.

    Raises StaleVersionError for an ETag that cannot be of this resource. Of several, the newest counts.
    """
    if not if_match or if_match.star_tag:
        return None
    found = [_OURS.fullmatch(tag) for tag in if_match.as_set()]
    versions = [int(each[1]) for each in found if each is not None]
    if not versions:
        raise StaleVersionError(what=what)
    return max(versions)
