"""`create_app`: the one place where the parts of the web service are put together."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway import log
from gateway.api import health, prompts
from gateway.api.front import Front
from gateway.api.v1.app import make_api
from gateway.api.v1.desk import Desk
from gateway.assembly import Parts, put_together
from gateway.console.app import make_console
from gateway.console.desk import Desk as ConsoleDesk
from gateway.db.postgres import make_ready
from gateway.dialects import dialects
from gateway.metrics import Metrics
from gateway.people.oidc import OidcSettings
from gateway.privacy.token import TokenSealer
from gateway.providers.entrance import Entrance, Switchboard
from gateway.settings import Settings
from gateway.watch import Watch
from gateway.workflows.call_desk import make_call_desk
from gateway.workflows.people_desk import PeopleDesk

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# A provider's webhook has some 3 kB. What is larger and signed still connects; beyond this nothing is read at all.
MAX_BODY_BYTES = 4 * 1024 * 1024
# One less than the threads of a worker (config/gunicorn.conf.py): calls never wait for pages that wait for a database.
_MOST_PAGES = 3


def create_app(settings: Settings) -> Flask:
    """Return the web service, its screen loaded if the database answers. Raises SettingsError, KeyFileError."""
    log.configure(settings.log_level)
    parts = put_together(settings)
    make_ready(parts.calls)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    watch = Watch(parts, screen_failed=metrics.screen_failed, tally_failed=metrics.tally_failed)
    watch.start()
    desk = make_call_desk(engine=parts.calls, office=parts.wishes, screen=watch.screen, keys=parts.keys)
    app = Flask("gateway", static_folder=None)
    switchboard = Switchboard(desk=desk, metrics=metrics, sealer=TokenSealer(parts.keys), tally=watch.tally)
    entrance = Entrance(dialects(parts), switchboard, largest=MAX_BODY_BYTES)
    app.register_blueprint(prompts.make_blueprint(parts.studio.library, metrics.rendition_missing))
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""
    app.register_blueprint(
        health.make_blueprint(
            health.Health(
                engine=parts.calls, screen=watch.screen, exposition=_exposition(registry), metrics_token=token
            )
        )
    )
    app.register_error_handler(500, _internal_error)
    # One desk for both, for it hashes passwords in turn.
    people = parts.people_desk()
    app.wsgi_app = Front(  # type: ignore[method-assign]  # Flask's own way for middleware.
        app.wsgi_app,
        calls=dict.fromkeys(entrance.prefixes, entrance),
        pages={"/api/": _api(parts, people), "/console": _console(parts, people)},
        most_pages=_MOST_PAGES,
    )
    app.extensions["notice_gateway"] = Running(parts=parts, watch=watch)
    return app


class Running:
    """What a program that made an app itself (a test, a bench) has to stop."""

    def __init__(self, *, parts: Parts, watch: Watch) -> None:
        """Keep the parts."""
        self.parts = parts
        self.counting = watch.counting
        self._watch = watch

    def stop(self) -> None:
        """End the threads of the screen and of the count of calls, and close the database."""
        self._watch.stop()
        self.parts.close()


def _api(parts: Parts, people: PeopleDesk) -> "WSGIApplication":
    """Return the API; who signs in comes from the address that the trusted proxies state."""
    settings = parts.settings
    api = make_api(Desk(office=parts.office, people=people, oidc=_provider(settings)))
    return ProxyFix(api.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0)


def _console(parts: Parts, people: PeopleDesk) -> "WSGIApplication":
    """Return the console; who signs in comes from the address that the trusted proxies state."""
    settings = parts.settings
    desk = ConsoleDesk(office=parts.office, people=people, settings=settings, oidc=_provider(settings))
    console = make_console(desk)
    return ProxyFix(console.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0)


def _provider(settings: Settings) -> OidcSettings | None:
    """Return the identity provider, None where none is configured."""
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret
    return OidcSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else "",
        redirect_uri=settings.oidc_redirect_uri,
    )


def _exposition(registry: CollectorRegistry) -> Callable[[], bytes]:
    """Return all workers' metrics where several share a folder (set by config/gunicorn.conf.py), else this one's."""

    def exposition() -> bytes:
        # prometheus_client itself is told of the folder through the environment only.
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # noqa: TID251
            return generate_latest(registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)

    return exposition


def _internal_error(_error: Exception) -> Response:
    """Answer without a trace of what went wrong; the log has it."""
    return Response("500: an error on our side; it is in the log\n", status=500, content_type="text/plain")
