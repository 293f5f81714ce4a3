"""What the gateway refuses, in the reader's language: beside the field it is about, or as a page of its own."""

from http import HTTPStatus

from flask_babel import gettext

from gateway.domain.errors import GatewayError
from gateway.workflows import codes

# What has no form to be mended in: nobody is signed in, the thing is not there, or not any more.
_PAGES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def status_of(error: GatewayError) -> int:
    """Return the status of a refusal."""
    return codes.STATUSES.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY)


def is_for_the_form(error: GatewayError) -> bool:
    """Tell whether a reader can mend it in the form, rather than it being a page of its own."""
    status = status_of(error)
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _PAGES


def field_of(error: GatewayError) -> str:
    """Return the form's field that a refusal is about; empty for the form as a whole."""
    where = error.details.get("field")
    return where if isinstance(where, str) else codes.FIELDS.get(error.code, "").strip("/?").replace("/", "_")


def message_of(error: GatewayError) -> str:
    """Return a refusal in the reader's language; each error's docstring is what is translated."""
    template = " ".join((type(error).__doc__ or "").split())
    hidden = codes.PERSONAL.get(error.code, frozenset())
    details = {name: "..." if name in hidden else value for name, value in error.details.items()}
    return str(gettext(template)).format(**details)
