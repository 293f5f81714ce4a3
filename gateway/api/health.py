"""`/healthz`, `/readyz` and `/metrics`: for load balancers and operators."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.register.installation import generation
from gateway.register.screen import Screen

_LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
# A reverse proxy on the same machine also comes from the loopback address; it shows in these.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What health is judged by; `exposition` returns all metrics in Prometheus' text format."""

    engine: Engine
    screen: Screen
    exposition: Callable[[], bytes]
    metrics_token: str


def make_blueprint(health: Health) -> Blueprint:
    """Return the three routes."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        """Answer while the process does."""
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Answer 200 once the screen is loaded; with the database away, calls still connect: ready, but degraded."""
        database = _database(health.engine)
        ready = health.screen.is_loaded
        status = ("ok" if database == "reachable" else "degraded") if ready else "screen not loaded"
        return jsonify(status=status, screen_lines=health.screen.size, database=database), 200 if ready else 503

    @blueprint.get("/metrics")
    def metrics() -> Response:
        """Answer to this machine, or to who shows the metrics token."""
        if not _may_read(health.metrics_token):
            return Response("403: metrics are for this machine or the metrics token\n", 403, content_type="text/plain")
        return Response(health.exposition(), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def _database(engine: Engine) -> str:
    try:
        with engine.connect() as connection:
            generation(connection)
    except SQLAlchemyError:
        return "unreachable"
    return "reachable"


def _may_read(token: str) -> bool:
    given = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(given.encode(errors="replace"), f"Bearer {token}".encode()):
        return True
    return request.remote_addr in _LOOPBACK and not any(name in request.headers for name in _FORWARDED)
