"""Whose field a refusal is about, where the workflow that refuses knows nothing of the form."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.errors import GatewayError


@contextmanager
def beside(field: str) -> Iterator[None]:
    """Have what is refused in here shown beside a field of the form."""
    try:
        yield
    except GatewayError as error:
        error.details["field"] = field
        raise
