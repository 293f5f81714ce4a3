"""`make_console`: the console as one WSGI program, put together from the pages of all rooms."""

import hashlib
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, g, request
from flask_babel import gettext
from govuk_frontend_wtf.main import wtforms_errors
from jinja2 import BytecodeCache, ChoiceLoader, PackageLoader, PrefixLoader
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from gateway.console import faults, languages, policy, words
from gateway.console.addresses import Addresses
from gateway.console.cookies import FormTokens, SignedSessions
from gateway.console.desk import Desk
from gateway.console.filter_fields import choice, typed
from gateway.console.form import ConsoleForm
from gateway.console.menu import Menus
from gateway.console.page import Page
from gateway.console.serve import make_view
from gateway.console.templating import FILE, TEXT, Templates
from gateway.console.views import (
    account,
    api_keys,
    audit,
    batches,
    courts,
    disputes,
    districts,
    draft,
    enrol,
    home,
    notice_proposals,
    notices,
    order_acts,
    order_extension,
    order_pages,
    people,
    person_changes,
    settings,
    sign_in,
    sign_in_oidc,
    sign_in_passkey,
    try_call,
    unfinished,
)
from gateway.domain.errors import GatewayError
from gateway.domain.rights import Right

PREFIX = "/console"
PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *home.PAGES,
    *districts.PAGES,
    *disputes.PAGES,
    *audit.PAGES,
    *order_pages.PAGES,
    *order_acts.PAGES,
    *order_extension.PAGES,
    *draft.PAGES,
    *unfinished.PAGES,
    *batches.PAGES,
    *notices.PAGES,
    *notice_proposals.PAGES,
    *try_call.PAGES,
    *sign_in_passkey.PAGES,
    *sign_in_oidc.PAGES,
    *enrol.PAGES,
    *account.PAGES,
    *people.PAGES,
    *person_changes.PAGES,
    *api_keys.PAGES,
    *courts.PAGES,
    *settings.PAGES,
)
log: structlog.stdlib.BoundLogger = structlog.get_logger("gateway.console")

_FORM_LIFETIME = timedelta(hours=12)
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    policy.HEADER: policy.PAGE,
}


class Console(Flask):
    """Flask with a secret that follows the key ring: what it signs is short-lived, and a rotation ends it."""

    jinja_environment = Templates

    def __init__(self, desk: Desk, pages: tuple[Page, ...]) -> None:
        """Keep the desk; static files are served from the console's own folder."""
        self._desk = desk
        super().__init__("gateway.console", static_url_path=f"{PREFIX}/static")
        self.addresses = Addresses(PREFIX, pages, Path(self.static_folder or ""))
        self.menus = Menus(self.url_for)
        self.session_interface = SignedSessions()

    def url_for(self, endpoint: str, **values: Any) -> str:  # noqa: ANN401  (what Flask's takes)
        """Return where a page is. Raises BuildError where there is none."""
        # Flask's own function names all that may be asked of an address beside its values, and mostly asks nothing.
        plain = {name: value for name, value in values.items() if not (value is None and name.startswith("_"))}
        is_plain = not any(name.startswith("_") for name in plain)
        return (self.addresses.of_page(endpoint, plain) if is_plain else None) or super().url_for(endpoint, **values)

    @property
    def secret_key(self) -> bytes:  # type: ignore[override]  # Flask keeps it in its configuration.
        """Return the key of the forms' tokens."""
        return hashlib.blake2b(b"console forms", key=self._desk.keys.active.secrets, digest_size=32).digest()


def make_console(desk: Desk, pages: tuple[Page, ...] = PAGES, *, compiled: BytecodeCache | None = None) -> Flask:
    """Return the console; it serves everything below /console and nothing else.

    A program that makes many consoles one after the other keeps what their templates compile to in `compiled`.
    """
    app = Console(desk, pages)
    app.config.update(
        SESSION_COOKIE_NAME="console",
        SESSION_COOKIE_PATH=PREFIX,
        SESSION_COOKIE_SECURE=desk.is_https,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=1_000_000,
        WTF_CSRF_TIME_LIMIT=int(_FORM_LIFETIME.total_seconds()),
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        WTF_I18N_ENABLED=False,
        BABEL_DEFAULT_LOCALE="en",
        BABEL_TRANSLATION_DIRECTORIES="translations",
    )
    app.jinja_options = {"bytecode_cache": compiled}  # Read once: when `jinja_env` is first asked for.
    languages.Texts(app, locale_selector=languages.language_of_request)
    _templates(app)
    for page in pages:
        methods = ["GET"] if page.form is None else ["GET", "POST"]
        app.add_url_rule(PREFIX + page.path, page.name, make_view(page, desk), methods=methods)
    _guard(app)
    _catch(app)
    return app


def _templates(app: Console) -> None:
    app.jinja_loader = ChoiceLoader(
        [
            PackageLoader("gateway.console"),
            PrefixLoader(
                {
                    "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
                    "govuk_frontend_wtf": PackageLoader("govuk_frontend_wtf"),
                }
            ),
        ]
    )
    app.jinja_env.filters.update(instant=languages.instant, day=languages.day, word=words.word)
    # Functions, not values of a context processor: that one runs for each widget too, which are templates of their own.
    app.jinja_env.globals.update(
        **{TEXT: languages.text, FILE: app.addresses.of_file},
        language_tag=languages.language_tag,
        languages=languages.LANGUAGES,
        menu=lambda: app.menus.of(g.actor, request.path) if _is_signed_in() else "",
        signed_in=_is_signed_in,
        may_find=_may_find,
        form_token=FormTokens().token,
        summary_of_errors=_summary_of_errors,
        note=_note,
        choice=choice,
        typed=typed,
    )


def _is_signed_in() -> bool:
    return "actor" in g


def _may_find() -> bool:
    return _is_signed_in() and not g.actor.reach(Right.ORDERS_READ).is_empty


def _note() -> str:
    """Return what is said above the page, once; empty where there is nothing to say."""
    return str(g.get("note", ""))


def _summary_of_errors(form: ConsoleForm) -> dict[str, Any]:
    """Return what the summary of errors shows; what is wrong with the form as a whole has no field to lead to."""
    found: dict[str, Any] = wtforms_errors(form, {"titleText": gettext("There is a problem")})
    for each in found["errorList"]:
        if each["href"] == "#None":
            del each["href"]
    return found


def _guard(app: Flask) -> None:
    # Bound once: to look the logger up anew takes as long as to write the line.
    bound = log.bind()

    @app.before_request
    def begin() -> None:
        g.started = perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in _HEADERS.items():
            if name == "Cache-Control" and request.endpoint == "static":
                continue
            response.headers.setdefault(name, value)
        bound.info(
            "console_request",
            method=request.method,
            endpoint=request.endpoint or "",
            status=response.status_code,
            actor=g.actor.actor_id if "actor" in g else "",
            ms=round((perf_counter() - g.started) * 1000, 2) if "started" in g else 0,
        )
        return response


def _catch(app: Flask) -> None:
    """Make every error a page. What is not foreseen is logged by its type and place, and shown as a 500."""
    app.register_error_handler(GatewayError, faults.of_gateway)
    app.register_error_handler(HTTPException, faults.of_http)
    app.register_error_handler(SQLAlchemyError, faults.of_database)
    app.register_error_handler(Exception, faults.of_defect)
