"""`notice-gateway sip`: the SIP edge, Kamailio and rtpengine."""

import signal
import sys
import threading
from pathlib import Path

import click

from gateway.cli.context import ERR, OUT, Tools
from gateway.edge.files import write_edge_files
from gateway.edge.processes import Job, edge_jobs, refuse_taken_ports, require_programs, running, stay
from gateway.edge.settings import EdgeSettings, load_edge
from gateway.settings import Settings, SettingsError


@click.group()
def sip() -> None:
    """Run Kamailio and rtpengine for calls over SIP, or write what they are started with (docs/sip.md)."""


@sip.command()
@click.pass_obj
def up(tools: Tools) -> None:
    """Run Kamailio, rtpengine and the bridge for development; Ctrl-C ends them all.

    They are set up by config/sip.toml, and write into the folder `edge` of the data folder. The gateway itself is
    `notice-gateway serve`, with the same NOTICE_GATEWAY_SIP_SECRET.
    """
    settings = tools.settings()
    if not settings.sip_secrets:
        raise SettingsError(
            where="NOTICE_GATEWAY_SIP_SECRET", why="it is not set, and the gateway would refuse the bridge"
        )
    edge = _edge_of(settings)
    programs = require_programs(edge)
    refuse_taken_ports(edge)
    folder = settings.data_dir / "edge"
    write_edge_files(edge, settings.config_dir, folder)
    bridge = [sys.executable, "-c", "from gateway.command import main; main()", "sip-bridge"]
    jobs = [*edge_jobs(edge, folder, programs), Job(name="the bridge", command=bridge, log=folder / "bridge.log")]
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _signal, _frame: stop.set())
    with running(jobs) as started:
        ERR.print(f"Calls come in at sip:{edge.listen} and go out to {', '.join(edge.destinations)}.")
        ERR.print(f"http://{edge.health}/healthz says how it is; logs are in {folder}. Stop with Ctrl-C.")
        stay(jobs, started, stop)


@sip.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def render(tools: Tools, *, folder: Path) -> None:
    """Write what Kamailio and rtpengine are started with into FOLDER, from config/sip.toml.

    The systemd units in config/systemd do this at each start.
    """
    settings = tools.settings()
    write_edge_files(_edge_of(settings), settings.config_dir, folder.absolute())
    OUT.print(f"Wrote {', '.join(sorted(each.name for each in folder.iterdir() if each.is_file()))} into {folder}.")


def _edge_of(settings: Settings) -> EdgeSettings:
    """Read the edge's settings; where it meets the bridge is the bridge's to say."""
    return load_edge(
        settings.config_dir,
        bridge=settings.sip_evapi,
        rtpengine=settings.sip_rtpengine,
        keys=settings.sip_dtmf_listen,
    )
