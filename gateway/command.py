"""What the console script loads: little, so that the help comes at once; the command asked for loads the rest."""

import gc
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from gateway.cli import main as command_line
from gateway.late import late

if TYPE_CHECKING:
    from gateway import program
else:
    program = late("gateway.program")


def main() -> None:
    """Run `notice-gateway`."""
    # What is loaded is there to stay. Looking for garbage in it, while it is loaded and once more at the end of the
    # program, would take a quarter of the time of most commands.
    gc.disable()
    try:
        with ExitStack() as opened:
            command_line.main(partial(_begin, opened))
    finally:
        gc.freeze()


def _begin(opened: ExitStack) -> "program.Program":
    """Return what a command works with, once it is loaded itself; from here on garbage is collected."""
    tools = program.Program(opened)
    gc.freeze()
    gc.enable()
    return tools
