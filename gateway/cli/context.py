"""What commands get from the program that runs them, and what they share: errors in words, tables, officers."""

from typing import Protocol

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from gateway.assembly import Parts
from gateway.cli.call import Player
from gateway.domain.errors import GatewayError
from gateway.settings import Settings

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

    def player_for_calls(self) -> Player:
        """Return a player set up for the configured gateway."""
        ...

    def run_sip_bridge(self) -> None:
        """Run the bridge to Kamailio until it is told to stop."""
        ...

    def signature_works(self, settings: Settings) -> bool:
        """Sign and check a webhook with each token."""
        ...


class TeachingGroup(click.Group):
    """A group that turns what the gateway refuses into one sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            hint = "check NOTICE_GATEWAY_DATA_DIR and the rights on it"
            raise click.ClickException(f"{where}{error.strerror or error}; {hint}") from error
        except SQLAlchemyError as error:
            # Only the driver's own first line: a statement's parameters could hold what nobody may read.
            cause = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
            hint = "`notice-gateway doctor` says more; `notice-gateway demo` or `serve` creates a missing database"
            raise click.ClickException(f"the database did not answer: {cause}; {hint}") from error
