"""`notice-gateway sip-bridge`."""

import click

from gateway.cli.context import Tools


@click.command("sip-bridge")
@click.pass_obj
def sip_bridge(tools: Tools) -> None:
    """Stand between Kamailio, rtpengine and the gateway, for calls over SIP.

    Connects to Kamailio's evapi and again whenever it is lost; Kamailio connects calls by itself meanwhile. One of it
    runs beside each Kamailio. SIGTERM ends it: what plays is stopped, and every call under way is connected.
    """
    tools.run_sip_bridge()
