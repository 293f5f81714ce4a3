"""X-Twilio-Signature.

"Take the full URL of the request ... If the request is a POST, sort all of the POST parameters alphabetically ...
append the variable name and value (with no delimiters) to the end of the URL string. Sign the resulting string with
HMAC-SHA1 using your AuthToken ... Base64 encode the resulting hash value." (twilio.com/docs/usage/security)

Twilio's own Python validator works on decoded text and has no answer to some inputs (docs/adr/0004); this one works on
bytes, so that whatever was sent is what is verified. The tests hold it to Twilio's validator and published vectors.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from gateway.providers.dialect import Delivery, SignatureRefusedError

_MOST_FIELDS = 500
_DEFAULT_PORTS = {"http": 80, "https": 443}
Fields = Mapping[bytes, Sequence[bytes]]


def origins_of(public_origin: str) -> tuple[str, ...]:
    """Return the origin as configured, then with its port added or taken away: Twilio signs either, by product."""
    parts = urlsplit(public_origin)
    # Not `hostname`, which is in small letters: what is signed is what the provider was given.
    if parts.port is None:
        return public_origin, f"{public_origin}:{_DEFAULT_PORTS[parts.scheme]}"
    return public_origin, f"{parts.scheme}://{parts.netloc.rpartition(':')[0]}"


def compute(token: bytes, url: bytes, fields: Fields) -> bytes:
    """Return the signature of a form post. Values of a repeated key are de-duplicated and sorted, as Twilio does."""
    message = [url]
    for key in sorted(fields):
        values = fields[key]
        if len(values) == 1:
            message += (key, values[0])
        else:
            message += (part for value in sorted(set(values)) for part in (key, value))
    return b64encode(hmac.digest(token, b"".join(message), "sha1"))


class SignatureCheck:
    """Checks webhooks against a public origin and one or more auth tokens, the primary first."""

    def __init__(self, public_origin: str, tokens: Iterable[str]) -> None:
        """Accept what any of `tokens` signed for `public_origin`."""
        self._origins = tuple(origin.encode() for origin in origins_of(public_origin))
        self._tokens = tuple(token.encode() for token in tokens)

    def fields_of(self, delivery: Delivery) -> Fields:
        """Return the fields of an authentic webhook. Raises SignatureRefusedError."""
        if not delivery.signature:
            raise SignatureRefusedError(why="missing")
        if delivery.content_type.partition(";")[0].strip().lower() == "application/json":
            return self._json_fields(delivery)
        fields = _form_fields(delivery.body)
        if self._is_signed(delivery, fields):
            return fields
        decoded = _as_decoded(fields)
        if decoded != fields and self._is_signed(delivery, decoded):
            return decoded
        raise SignatureRefusedError(why="wrong")

    def _json_fields(self, delivery: Delivery) -> Fields:
        """Check a JSON body: the URL is signed, and its bodySHA256 parameter is the SHA-256 (hex) of the raw body."""
        stated = parse_qs(urlsplit(delivery.target).query).get("bodySHA256", [])
        if len(stated) != 1 or not hmac.compare_digest(
            stated[0].lower().encode(), sha256(delivery.body).hexdigest().encode()
        ):
            raise SignatureRefusedError(why="wrong")
        if not self._is_signed(delivery, {}):
            raise SignatureRefusedError(why="wrong")
        try:
            document = json.loads(delivery.body)
        except (ValueError, RecursionError):
            return {}
        if not isinstance(document, dict):
            return {}
        return {
            key.encode(errors="surrogatepass"): [value.encode(errors="surrogatepass")]
            for key, value in document.items()
            if isinstance(value, str)
        }

    def _is_signed(self, delivery: Delivery, fields: Fields) -> bool:
        given = delivery.signature.encode(errors="replace")
        target = delivery.target.encode("latin-1", errors="replace")
        for token in self._tokens:
            for origin in self._origins:
                if hmac.compare_digest(compute(token, origin + target, fields), given):
                    return True
        return False


def _form_fields(body: bytes) -> Fields:
    """Read a form as bytes, whatever they spell. Raises SignatureRefusedError for more fields than a provider sends."""
    if body.count(b"&") >= _MOST_FIELDS:
        raise SignatureRefusedError(why="over a form with too many fields")
    fields: dict[bytes, list[bytes]] = {}
    for pair in body.replace(b"+", b" ").split(b"&"):
        if not pair:
            continue
        key, _, value = pair.partition(b"=")
        if b"%" in pair:
            key, value = unquote_to_bytes(key), unquote_to_bytes(value)
        if key in fields:
            fields[key].append(value)
        else:
            fields[key] = [value]
    return fields


def _as_decoded(fields: Fields) -> Fields:
    """Return the fields as a sender has them that replaced invalid UTF-8 before it signed."""
    return {_replaced(key): [_replaced(value) for value in values] for key, values in fields.items()}


def _replaced(text: bytes) -> bytes:
    return text.decode(errors="replace").encode()
