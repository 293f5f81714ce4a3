"""A page of the console, what its functions are given, and how they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as Answer

from gateway.console.desk import Desk
from gateway.console.form import ConsoleForm
from gateway.domain.rights import Actor
from gateway.errands.claims import Claim
from gateway.workflows.change import Errand

HTTP_SEE_OTHER = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request, identified; `expected` is the version that the form was made from, None where it names none."""

    desk: Desk
    actor: Actor
    at: datetime
    claim: Claim | None = None
    expected: int | None = None
    address: str = ""
    token: str = field(default="", repr=False)

    @property
    def errand(self) -> Errand:
        """Return the errand for a workflow that changes something; a form that is sent twice is carried out once."""
        return Errand(actor=self.actor, at=self.at, claim=self.claim)


Show = Callable[..., Answer]
# What a form begins with: the fields' values. `version` among them is what the change will be judged against.
Begin = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address. `name` is its endpoint and its line in the table of rights.

    `show` is called with the `Visit`, the arguments in the path, and `form` where the page has one. `send` carries the
    form out: it is called once for what a reader sent, after the form has been found to be valid, and answers with
    `seen_at(...)`. What it refuses (GatewayError) is shown in the form, with everything that was typed. `begin` gives
    the values that the form begins with; `ready` is called with the visit, the form and the path before the form is
    used, to fill in what there is to choose from. `limit` is the most bytes that a sent form may have.
    """

    name: str
    path: str
    show: Show
    form: type[ConsoleForm] | None = None
    send: Show | None = None
    begin: Begin | None = None
    ready: Callable[..., None] | None = None
    limit: int = 1_000_000


def shown(template: str, status: int = 200, **values: object) -> Response:
    """Return a page from a template."""
    return make_response(render_template(template, **values), status)


def seen_at(endpoint: str, **path: str) -> Answer:
    """Send the reader on to a page (RFC 9110, 303): reloading it sends nothing again."""
    return redirect(url_for(endpoint, **dict[str, Any](path)), HTTP_SEE_OTHER)


def fragment(template: str, **values: object) -> Response:
    """Return a part of a page that moves without a reload; nobody else's page may frame or store it."""
    return make_response(render_template(template, **values))
