"""Groups of commands that answer in sentences, and commands that are loaded when they are asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import click

from gateway.domain.errors import GatewayError
from gateway.late import late

if TYPE_CHECKING:
    from sqlalchemy import exc as database_errors
else:
    # The help loads no database.
    database_errors = late("sqlalchemy.exc")


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
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except database_errors.SQLAlchemyError as error:
            # Only the driver's own first line: a statement's parameters could hold what nobody may read.
            cause = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
            hint = "`notice-gateway doctor` says more; `notice-gateway demo` or `serve` creates a missing database"
            raise click.ClickException(f"the database did not answer: {cause}; {hint}") from error


class LateCommand(click.Command):
    """Stands for a command in the list of a group; its module is loaded when the command itself is asked for.

    `origin` is the module and the command's name in it, as gateway.cli.orders:orders; `help` is the first sentence of
    the command's own help.
    """

    def __init__(self, name: str, origin: str, help: str, tools: Callable[[], object] | None = None) -> None:  # noqa: A002  (click's word)
        """Stand for a command. It gets what `tools` returns as its `ctx.obj`, or without that what its group got."""
        super().__init__(name, help=help)
        self._module, _, self._attribute = origin.partition(":")
        self._tools = tools

    def loaded(self) -> click.Command:
        """Return the command itself."""
        command: click.Command = getattr(import_module(self._module), self._attribute)
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Return the context of the command itself, which click goes on with."""
        command = self.loaded()
        if self._tools is not None:
            extra["obj"] = self._tools()
        return command.make_context(info_name, args, parent, **extra)
