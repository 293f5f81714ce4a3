"""The command itself: `notice-gateway` and its groups."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.cli.teaching import LateCommand, TeachingGroup

if TYPE_CHECKING:
    # With it would come the database, which the help does without.
    from gateway.cli.context import Tools

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


# Each command, where it is, and the first sentence of its help: so the list is shown, and a misspelt name
# answered, without loading any. tests/cli/test_help_and_bad_input.py compares them with the commands.
_COMMANDS = {
    "api-keys": ("api_keys:api_keys", "Issue, list and revoke the API keys of programs."),
    "audit": ("audit:audit", "Read the trail of what was done, and prove that nobody has changed it."),
    "backup": (
        "backup:backup",
        "Write a backup of the whole gateway into the new FILE, while it goes on answering calls.",
    ),
    "restore": (
        "backup:restore",
        "Restore the backup FILE into an empty data folder and, with PostgreSQL, an empty database.",
    ),
    "call": ("call:call", "Call CALLEE through the running gateway, as Twilio would, and tell what each party hears."),
    "courts": ("courts:courts", "Add and list courts."),
    "demo": ("demo:demo", "Load sample courts, districts, orders and notices into an empty data folder."),
    "disputes": ("disputes:disputes", "Read and resolve what people said with keys 3 and 9 on a call."),
    "districts": ("districts:districts", "Add and list districts, and switch them on or off."),
    "doctor": ("doctor:doctor", "Check settings, signature, database, keys, prompts and voices, and say what to do."),
    "keys": ("keys:keys", "Rotate the keys that protect the register, and let old ones go."),
    "notices": ("notices:notices", "Give orders their notices."),
    "orders": ("orders:orders", "Issue, approve, list, suspend, resume and lift orders."),
    "people": ("people:people", "Add people, give them roles, and let them enrol."),
    "retention": ("retention:retention", "Remove the personal data of orders that are long over."),
    "serve": ("serve:serve", "Answer webhooks with gunicorn, set up by config/gunicorn.conf.py."),
    "sip": (
        "sip:sip",
        "Run Kamailio and rtpengine for calls over SIP, or write what they are started with (docs/sip.md).",
    ),
    "sip-bridge": ("sip_bridge:sip_bridge", "Stand between Kamailio, rtpengine and the gateway, for calls over SIP."),
    "subject-access": (
        "subject:subject_access",
        "Print everything that is held about the line NUMBER: orders, plays, disputes, and what was done to them.",
    ),
    "webhooks": (
        "webhooks:webhooks",
        "Tell courts' own systems what happens, by signed webhooks (https://www.standardwebhooks.com).",
    ),
    "work": ("work:work", "Deliver webhooks, carry out jobs, and do what is to be done each hour or day."),
}


def build(tools: "Callable[[], Tools]") -> TeachingGroup:
    """Return the command with all its groups; a command gets what `tools` returns."""
    group = TeachingGroup(name="notice-gateway", help=HELP)
    for name, (origin, sentence) in _COMMANDS.items():
        group.add_command(LateCommand(name, f"gateway.cli.{origin}", sentence, tools))
    return group


def main(tools: "Callable[[], Tools]") -> None:
    """Run the command line and exit."""
    sys.exit(build(tools).main(prog_name="notice-gateway", standalone_mode=True))
