"""`notice-gateway serve`."""

import os
import socket
import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import prepare
from gateway.cli.context import ERR, Tools
from gateway.domain.errors import GatewayError
from gateway.settings import Settings, SettingsError
from gateway.workflows.examine import Verdict, examine_routes
from gateway.workflows.load_demo import refuse_real_data

_HIGHEST_PORT = 65_535
_DEFAULT_BIND = "127.0.0.1:8080"


class DatabaseAwayError(GatewayError):
    """The database did not answer at start ({why})."""

    code = "database_away"


@click.command()
@click.option("--bind", default=_DEFAULT_BIND, show_default=True, metavar="HOST:PORT", help="Where to listen.")
@click.option("--no-work", is_flag=True, help="Leave the worker out; `notice-gateway work` must then run somewhere.")
@click.pass_obj
def serve(tools: Tools, *, bind: str, no_work: bool) -> None:
    """Answer webhooks with gunicorn, set up by config/gunicorn.conf.py.

    Beside it runs a worker, which delivers webhooks and carries out jobs: it ends with the gateway, and is started
    again when it dies.

    Refuses to start without NOTICE_GATEWAY_TWILIO_AUTH_TOKEN or NOTICE_GATEWAY_SIP_SECRET outside the demo: every call
    would be refused. Brings the database up to date first; if it is away, the gateway starts all the same and connects
    every call in silence.
    """
    settings = tools.settings()
    _refuse_wrong_settings(settings, bind)
    try:
        parts = prepare(settings)
        if settings.uses_demo_token:
            # The demo's token is public: it must not open a register that has become a real one.
            refuse_real_data(parts.studio, str(settings.data_dir), marked=True)
        parts.close()
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        ERR.print(f"{DatabaseAwayError(why=why)} Calls are connected without notices until it is back.", style="yellow")
    _warn(settings, bind)
    ERR.print(f"Answering on http://{bind}, which providers reach as {settings.public_origin}. Stop with Ctrl-C.")
    configuration = settings.config_dir / "gunicorn.conf.py"
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = [sys.executable, "-m", "gunicorn", "--config", str(configuration), "--bind", bind]
    if not no_work:
        arguments += ["--env", "NOTICE_GATEWAY_WORK=beside"]
    # gunicorn takes this process over, so that signals reach it directly.
    os.execv(sys.executable, arguments)  # noqa: S606  (no shell is wanted)


def _refuse_wrong_bind(bind: str) -> None:
    """Refuse an address that cannot be listened on: gunicorn would try for ever, or share another gateway's port."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise click.BadParameter(f"{bind!r} is not HOST:PORT, for example {_DEFAULT_BIND}", param_hint="--bind")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            raise SettingsError(where=f"--bind {bind}", why=error.strerror or "this address cannot be used") from error


def _warn(settings: Settings, bind: str) -> None:
    """Say what works, and is yet unlikely to be meant."""
    if settings.uses_demo_token:
        ERR.print('Demo: webhooks are accepted with the public token "demo-token".', style="yellow")
    elif settings.twilio_tokens and (routes := examine_routes(settings.routes())).verdict is not Verdict.GOOD:
        ERR.print(f"{routes.subject}: {routes.found}; {routes.cure}.", style="yellow")
    if bind != _DEFAULT_BIND and settings.public_origin == f"http://{_DEFAULT_BIND}":
        ERR.print(
            f"Listening on {bind}, but callbacks go to {settings.public_origin}: set NOTICE_GATEWAY_PUBLIC_ORIGIN.",
            style="yellow",
        )


def _refuse_wrong_settings(settings: Settings, bind: str) -> None:
    if not settings.twilio_tokens and not settings.sip_secrets:
        raise SettingsError(
            where="NOTICE_GATEWAY_TWILIO_AUTH_TOKEN",
            why="it is not set, nor is NOTICE_GATEWAY_SIP_SECRET, and every call would be refused; copy it from the"
            " Twilio console, or load the demo with `notice-gateway demo`",
        )
    _refuse_wrong_bind(bind)
    settings.routes()
    settings.bypass()
    configuration = settings.config_dir / "gunicorn.conf.py"
    if not configuration.is_file():
        raise SettingsError(where=configuration, why="it is missing; set NOTICE_GATEWAY_CONFIG_DIR to where it is")
