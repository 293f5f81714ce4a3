"""What a door of the API or the console takes: a right, being signed in, or nothing.

This is the first fence: the right must have been granted somewhere at all. Whether it was granted for the court or the
district concerned is judged by the workflow, in the transaction of the change.
"""

from collections.abc import Mapping
from enum import Enum
from typing import assert_never

from gateway.domain.errors import GatewayError
from gateway.domain.rights import Actor, NotAllowedError, Right


class UnlistedRouteError(GatewayError):
    """This address is closed: nobody has stated who may use it."""

    code = "unlisted_route"


class Door(Enum):
    """What is open without any right."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"


Need = Right | Door


def need_of(needs: Mapping[str, Need], endpoint: str) -> Need:
    """Return what an endpoint takes. Raises UnlistedRouteError."""
    try:
        return needs[endpoint]
    except KeyError as error:
        raise UnlistedRouteError from error


def demand(actor: Actor, need: Need) -> None:
    """Raise NotAllowedError where an actor was granted the right nowhere."""
    match need:
        case Door():
            return
        case Right():
            if actor.reach(need).is_empty:
                raise NotAllowedError(right=need.value, where="any court")
        case _:
            assert_never(need)
