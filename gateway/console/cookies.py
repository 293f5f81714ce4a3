"""The console's cookies: the session's token, and the language; each closed to scripts and to other sites."""

from datetime import datetime

from flask import Flask, current_app, g, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wrappers import Response

from gateway.console.desk import Desk

_LANGUAGE = "language"
# Where Flask-WTF keeps the token in the session, and for the time of a request.
_TOKEN = "csrf_token"  # noqa: S105  (a name)
_YEAR_SECONDS = 365 * 24 * 3600


class SignedSessions(SecureCookieSessionInterface):
    """Flask's sessions, for the forms' tokens; what signs them is made once for each key, and not for each request."""

    def __init__(self) -> None:
        """Sign nothing yet."""
        self._made: tuple[object, URLSafeTimedSerializer | None] = (None, None)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs with the console's present key."""
        key = app.secret_key
        # Another thread may read a newer key meanwhile: each signs with what goes with its own.
        made = self._made
        if made[0] != key:
            made = self._made = (key, super().get_signing_serializer(app))
        return made[1]


class FormTokens:
    """The tokens that prove forms to be ours: Flask-WTF's own, signed by what is made once for each key."""

    def __init__(self) -> None:
        """Sign nothing yet."""
        self._made: tuple[object, URLSafeTimedSerializer] | None = None

    def token(self) -> str:
        """Return the token of this request."""
        if _TOKEN in g or _TOKEN not in session:
            return str(generate_csrf())
        key = current_app.secret_key
        # Another thread may read a newer key meanwhile: each signs with what goes with its own.
        made = self._made
        if made is None or made[0] != key:
            made = self._made = (key, URLSafeTimedSerializer(key or "", salt="wtf-csrf-token"))
        g.csrf_token = made[1].dumps(session[_TOKEN])
        return str(g.csrf_token)


def session_cookie(desk: Desk) -> str:
    """Return the session cookie's name: over TLS a browser takes it from this host alone (RFC 6265bis, 4.1.3.2)."""
    return "__Host-session" if desk.is_https else "session"


def give_session(response: Response, desk: Desk, token: str, expires_at: datetime) -> None:
    """Give the browser the token of a session."""
    response.set_cookie(
        session_cookie(desk),
        token,
        expires=expires_at,
        path="/",
        secure=desk.is_https,
        httponly=True,
        # An identity provider sends people back from its own site; strict would hide the cookie from that request.
        samesite="Lax",
    )


def take_session(response: Response, desk: Desk) -> None:
    """Take the token of a session away again."""
    response.delete_cookie(session_cookie(desk), path="/", secure=desk.is_https, httponly=True, samesite="Lax")


def give_language(response: Response, desk: Desk, language: str) -> None:
    """Let the browser remember the language."""
    response.set_cookie(
        _LANGUAGE,
        language,
        max_age=_YEAR_SECONDS,
        path="/console",
        secure=desk.is_https,
        httponly=True,
        samesite="Lax",
    )
