"""The command itself: `notice-gateway` and its groups."""

import sys

from gateway.cli.api_keys import api_keys
from gateway.cli.audit import audit
from gateway.cli.backup import backup, restore
from gateway.cli.call import call
from gateway.cli.context import TeachingGroup, Tools
from gateway.cli.courts import courts
from gateway.cli.demo import demo
from gateway.cli.disputes import disputes
from gateway.cli.districts import districts
from gateway.cli.doctor import doctor
from gateway.cli.keys import keys
from gateway.cli.notices import notices
from gateway.cli.orders import orders
from gateway.cli.people import people
from gateway.cli.retention import retention
from gateway.cli.serve import serve
from gateway.cli.sip import sip
from gateway.cli.sip_bridge import sip_bridge
from gateway.cli.subject import subject_access
from gateway.cli.webhooks import webhooks
from gateway.cli.work import work

HELP = """The court notice gateway: plays a court's notice to the right party, and always connects the call.

\b
To try it without any telephone:
  notice-gateway demo                     load courts, lines and orders that do not exist
  notice-gateway serve                    answer Twilio's webhooks on 127.0.0.1:8080
  notice-gateway call +12025550110        play Twilio's part, and see what each party hears
\b
To work with real orders:
  notice-gateway doctor                   check settings, keys, database, prompts and voices
  notice-gateway orders issue --help      put an order with its notices in the register
  notice-gateway orders lift ORDER        silent from the next call on

Settings come from the environment (NOTICE_GATEWAY_...) and from config/default.toml, which explains each.
"""


def build() -> TeachingGroup:
    """Return the command with all its groups."""
    group = TeachingGroup(name="notice-gateway", help=HELP)
    for command in (
        demo,
        serve,
        work,
        sip,
        sip_bridge,
        webhooks,
        call,
        courts,
        districts,
        orders,
        disputes,
        notices,
        people,
        api_keys,
        keys,
        retention,
        subject_access,
        doctor,
        audit,
        backup,
        restore,
    ):
        group.add_command(command)
    return group


def main(tools: Tools) -> None:
    """Run the command line and exit."""
    sys.exit(build().main(obj=tools, prog_name="notice-gateway", standalone_mode=True))
