"""What commands get from the program that runs them, and where they write."""

from typing import TYPE_CHECKING, Protocol

from rich.console import Console

from gateway.assembly import Parts
from gateway.settings import Settings

if TYPE_CHECKING:
    # One command of many plays calls, and loads what that takes.
    from gateway.cli.call import Player

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


class Tools(Protocol):
    """The program, as commands see it."""

    def settings(self) -> Settings:
        """Read the settings. Raises SettingsError."""
        ...

    def prepared(self) -> Parts:
        """Return the parts, creating what is missing."""
        ...

    def parts(self) -> Parts:
        """Return the parts of a gateway that is there already."""
        ...

    def player_for_calls(self) -> "Player":
        """Return a player set up for the configured gateway."""
        ...

    def run_sip_bridge(self) -> None:
        """Run the bridge to Kamailio until it is told to stop."""
        ...

    def signature_works(self, settings: Settings) -> bool:
        """Sign and check a webhook with each token."""
        ...
