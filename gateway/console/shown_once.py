"""Secrets that are shown once: a new person's enrolment code, a new API key's token.

A form that makes one answers, as every form does, with the address of the page to go on to, and that address carries
the secret sealed: for the one person who made it, for one thing, and for ten minutes. So a form that is sent twice
leads to the same page (the claim keeps the address, encrypted) and makes no second secret, a reload shows the page
again, and nothing of it lies in the database afterwards that anybody could open: the seal's time is over, whatever
becomes of the kept address, the browser's history or a proxy's log. Pages are never stored (`no-store`).
"""

from datetime import timedelta

from flask import request

from gateway.console.page import Visit
from gateway.privacy.errors import TokenRefusedError

_USE = "console-shown-once"
_PATIENCE = timedelta(minutes=10)


def sealed(visit: Visit, secret: str, *, of: str) -> str:
    """Return a secret as an address carries it; `of` is the id of what it belongs to."""
    state = {"secret": secret, "of": of, "for": visit.actor.actor_id}
    return visit.desk.people.sealer.seal(state, use=_USE, now=visit.at, lifetime=_PATIENCE)


def opened(visit: Visit, *, of: str) -> str:
    """Return the secret that the address carries; empty for anybody else, for anything else, and when time is over."""
    try:
        state = visit.desk.people.sealer.open(request.args.get("shown", ""), use=_USE, now=visit.at)
    except TokenRefusedError:
        return ""
    return state["secret"] if (state["of"], state["for"]) == (of, visit.actor.actor_id) else ""
