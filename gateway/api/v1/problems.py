"""Refusals as RFC 9457 problems: one shape, one place where an error becomes a status, and never a trace."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from gateway.api.v1.actor import CHALLENGE
from gateway.domain.errors import GatewayError
from gateway.workflows.codes import FIELDS, OURS, PERSONAL, STATUSES

MEDIA = "application/problem+json"
DOCS = "/api/v1/docs"
# What has the form of an id is quoted; whatever else stood in an address may be a number put in the wrong place.
_OUR_ID = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_GENERAL_CURE = f"Send what the schema in {DOCS} allows."
_CURES: Mapping[str, str] = {
    "missing": "Add it.",
    "extra_forbidden": f"Leave it out; {DOCS} lists the fields there are.",
    "string_too_short": "Give at least {min_length} characters.",
    "string_too_long": "Give at most {max_length} characters.",
    "too_short": "Give at least {min_length}.",
    "too_long": "Give at most {max_length}.",
    "string_pattern_mismatch": "Write it in the form of {pattern}.",
    "string_type": "Send a text.",
    "string_unicode": "Send text in UTF-8 without lone surrogates.",
    "int_type": "Send a whole number.",
    "bool_type": "Send true or false.",
    "greater_than_equal": "Give {ge} or more.",
    "less_than_equal": "Give {le} or less.",
    "enum": "Give one of {expected}.",
    "literal_error": "Give one of {expected}.",
    "timezone_aware": "Add the time zone, for example 2026-03-01T09:00:00+00:00.",
    "datetime_from_date_parsing": "Write for example 2026-03-01T09:00:00+00:00.",
    "datetime_parsing": "Write for example 2026-03-01T09:00:00+00:00.",
    "union_tag_invalid": "Give one of {expected_tags}.",
}
_PLAIN: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read; send it as HTTP and the documentation have it."),
    404: ("unknown_address", f"There is nothing at this address; {DOCS} lists the addresses there are."),
    405: ("wrong_method", f"This address does not take this method; {DOCS} lists those it takes."),
    413: ("too_large", "The body is larger than what is taken here; send a smaller one."),
    415: ("wrong_content_type", "The body is not of the content type that is taken here; send it as documented."),
}
INTERNAL = ("internal_error", "Something went wrong on our side; the log has it. Nothing was changed by halves.")
UNAVAILABLE = ("database_unavailable", "The register cannot be reached just now; send the same request again later.")
RETRY_SECONDS = 5


class RefusedFieldError(GatewayError):
    """A field of the body was refused: {why}."""

    code = "invalid_fields"

    def __init__(self, *, pointer: str, error: GatewayError) -> None:
        """Keep the JSON pointer of the field and what was wrong with it."""
        super().__init__(why=str(error).rstrip("."))
        self.pointer = pointer
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A problem before it is written down."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)

    def body(self) -> bytes:
        """Return the problem as ASCII JSON: a field's name may be any text that a client made up."""
        problem = {
            "type": f"{DOCS}#{self.code}",
            "title": title_of(self.code),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [dict(each) for each in self.errors],
            **self.extra,
        }
        return json.dumps(problem).encode()


@contextmanager
def at(pointer: str) -> Iterator[None]:
    """Say of an error of the domain which field of the body it is about."""
    try:
        yield
    except GatewayError as error:
        below = error.details.get("field")
        where = f"{pointer}/{below}" if isinstance(below, str) else pointer
        raise RefusedFieldError(pointer=where, error=error) from error


def title_of(code: str) -> str:
    """Return a code in words."""
    return code.replace("_", " ").capitalize()


def of_gateway(error: GatewayError) -> Refusal:
    """Tell what was refused and how to mend it; a fault of ours is not told."""
    code, pointer = error.code, FIELDS.get(error.code, "")
    if isinstance(error, RefusedFieldError):
        code, pointer, error = error.error.code, error.pointer, error.error
    status = STATUSES.get(code, HTTPStatus.UNPROCESSABLE_ENTITY)
    if code in OURS:
        return Refusal(status=status, code=INTERNAL[0], detail=INTERNAL[1])
    message = _message(error)
    errors = [_field(pointer, *_halves(message))] if pointer else []
    headers: dict[str, str] = {}
    extra: dict[str, object] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    wait = error.details.get("retry_after")
    if isinstance(wait, int):
        headers["Retry-After"] = str(wait)
        extra["retry_after"] = wait
    return Refusal(status=status, code=code, detail=message, errors=errors, headers=headers, extra=extra)


def of_fields(error: ValidationError, location: str) -> Refusal:
    """Tell every field that was refused; `location` is json, query or form."""
    errors = [
        _field(_pointer(each["loc"], location), _words(each), _cure(each))
        for each in error.errors(include_input=False, include_url=False)
    ]
    detail = "The request was refused, and nothing was changed; `errors` names each field and its cure."
    return Refusal(status=422, code="invalid_fields", detail=detail, errors=errors)


def _words(error: ErrorDetails) -> str:
    """Return pydantic's words; where they quote what was sent, which may be a name put in the wrong place, our own."""
    if error["type"] == "union_tag_invalid":
        return "This is none of the kinds that are known here."
    return f"{error['msg'].removeprefix('Value error, ')}."


def of_http(error: HTTPException) -> Refusal:
    """Tell what HTTP itself refuses."""
    status = error.code if error.code is not None else 500
    code, detail = _PLAIN.get(status, INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _PLAIN[400])
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    return Refusal(status=status if status in _PLAIN else STATUSES[code], code=code, detail=detail, headers=headers)


def of_outage() -> Refusal:
    """Tell that the database is away."""
    code, detail = UNAVAILABLE
    return Refusal(status=503, code=code, detail=detail, headers={"Retry-After": str(RETRY_SECONDS)})


def of_defect() -> Refusal:
    """Tell that we failed, and nothing of how."""
    return Refusal(status=500, code=INTERNAL[0], detail=INTERNAL[1])


def _message(error: GatewayError) -> str:
    if error.code.startswith("unknown_") and STATUSES.get(error.code) == HTTPStatus.NOT_FOUND:
        # The register's own cure is a command at the machine, which no client has.
        what, shown = error.details.get("what"), error.details.get("shown")
        if what is None or shown is None:
            return "There is no such entry, or it lies outside of what you may see; the list shows what is there."
        quoted = f" {shown!r}" if _OUR_ID.fullmatch(str(shown)) else ""
        return f"There is no {what}{quoted}, or it lies outside of what you may see; the list shows what is there."
    hidden = PERSONAL.get(error.code)
    if not hidden:
        return str(error)
    shown = {name: "..." if name in hidden else value for name, value in error.details.items()}
    return str(type(error)(**shown))


def _halves(message: str) -> tuple[str, str]:
    """Split a message into what was wrong and what to do: house style puts a semicolon or a full stop between."""
    for mark in ("; ", ". "):
        what, found, cure = message.partition(mark)
        if found:
            return f"{what}.", f"{cure[:1].upper()}{cure[1:]}"
    return message, _GENERAL_CURE


def _field(pointer: str, message: str, cure: str) -> dict[str, str]:
    return {"field": pointer, "message": message, "cure": cure}


def _pointer(path: tuple[str | int, ...], location: str) -> str:
    """Return where a field is: in a body a JSON pointer (RFC 6901), in a query or a form its name."""
    if location != "json":
        return "?" + ".".join(map(str, path))
    return "".join("/" + str(part)[:100].replace("~", "~0").replace("/", "~1") for part in path)


def _cure(error: ErrorDetails) -> str:
    template = _CURES.get(error["type"], _GENERAL_CURE)
    return template.format_map(error.get("ctx", {}))
