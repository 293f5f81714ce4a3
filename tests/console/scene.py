"""Builders: a console over real rooms, and readers who are signed in to it and fill in forms as a browser would."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.console.app import make_console
from gateway.console.cookies import session_cookie
from gateway.console.desk import Desk
from gateway.domain.rights import InCourt, Role, Scope
from gateway.people import sessions
from gateway.people.sessions import Method
from gateway.workflows.office import Office
from tests.api.builders import Registry, a_registry
from tests.fakes import CompiledTemplates

LAKESIDE = InCourt(court_id="lakeside")
_MARKS = ("csrf_token", "once", "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody at a browser: their id, and the client that carries their cookies."""

    person_id: str
    token: str
    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        """Open a page below /console."""
        return self.client.get("/console" + path)

    def send(self, path: str, form: Mapping[str, object] | None = None, **fields: object) -> TestResponse:
        """Open a page, fill in its form, and send it; what is not named is sent as the page has it.

        Bytes, or a pair of a file name and bytes, are uploaded.
        """
        return self.send_as_seen(path, self.get(path), form, **fields)

    def send_as_seen(
        self, path: str, page: TestResponse, form: Mapping[str, object] | None = None, **fields: object
    ) -> TestResponse:
        """Send the form of a page that was opened before."""
        assert page.status_code < 400 or page.status_code in {409, 412, 422}, (path, page.status_code, page.text)
        data: dict[str, object] = dict(_filled_in(page.text))
        data |= dict(form or {}) | fields
        return self.client.post("/console" + path, data={name: _sent(value) for name, value in data.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """A console, the API beside it (for setting scenes up), and what both stand on."""

    app: Flask
    desk: Desk
    registry: Registry

    @property
    def anybody(self) -> FlaskClient:
        """Return a browser that nobody is signed in with."""
        return self.app.test_client()

    def somebody(self, *roles: Role, scope: Scope | None = LAKESIDE) -> Reader:
        """Return somebody with roles in a place (the demo's Lakeside court), signed in."""
        person_id = self.registry.somebody(*roles, scope=scope).person_id
        now = utc_now()
        with self.desk.office.engine.begin() as connection:
            token = sessions.open_(connection, self.desk.keys, person_id, Method.PASSWORD, now).token
        return self.with_session(person_id, token)

    def with_session(self, person_id: str, token: str) -> Reader:
        """Return a browser that carries a session's token."""
        client = self.app.test_client()
        client.set_cookie(session_cookie(self.desk), token)
        return Reader(person_id=person_id, token=token, client=client)


COMPILED = CompiledTemplates()


def a_console(parts: Parts) -> Console:
    """Return a console over real parts, with a voice that hums."""
    registry = a_registry(parts)
    office: Office = registry.desk.office
    desk = Desk(office=office, people=registry.desk.people, settings=parts.settings)
    app = make_console(desk, compiled=COMPILED)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return Console(app=app, desk=desk, registry=registry)


def marks_of(page: str) -> dict[str, str]:
    """Return the marks of a page's main form."""
    return {name: value for name, value in _filled_in(page).items() if name in _MARKS and isinstance(value, str)}


def text_of(page: TestResponse) -> str:
    """Return what a page says, without markup, its white space folded."""
    main = _document(page.text).get_element_by_id("main-content")
    return re.sub(r"\s+", " ", unescape(main.text_content())).strip()


def errors_of(page: TestResponse) -> list[str]:
    """Return what the summary of errors says."""
    lists = _document(page.text).find_class("govuk-error-summary__list")
    return [re.sub(r"\s+", " ", each.text_content()).strip() for found in lists for each in found]


def _document(page: str) -> html.HtmlElement:
    found = html.document_fromstring(page)
    assert isinstance(found, html.HtmlElement)
    return found


def _filled_in(page: str) -> dict[str, object]:
    """Return the fields of the last form in the page's main part, as a browser would send them."""
    forms = [
        form
        for form in _document(page).forms
        if form.method == "POST" and next(form.iterancestors("main"), None) is not None
    ]
    assert forms, "the page has no form"
    found: dict[str, object] = {}
    for name, value in forms[-1].form_values():
        before = found.get(name)
        found[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return found


def _sent(value: object) -> object:
    if isinstance(value, bytes):
        return (io.BytesIO(value), "file.bin")
    if isinstance(value, tuple):
        name, content = value
        return (io.BytesIO(content), name)
    return value
