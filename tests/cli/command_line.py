"""The command line inside this process: the real program, whose connections are closed after each command."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli.main import build
from gateway.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Runs `notice-gateway` with an environment of its own added to this process's."""

    env: Mapping[str, str]

    def run(self, *arguments: str, **more: str) -> Result:
        """Run a command; `more` are settings that this one run has besides. A stack trace is a failure."""
        own = {f"NOTICE_GATEWAY_{name.upper()}": value for name, value in more.items()}
        env = {**self.env, **own}
        with ExitStack() as opened:
            result = CliRunner().invoke(build(partial(Program, opened)), list(arguments), env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return result

    def succeed(self, *arguments: str, **more: str) -> str:
        """Run a command that must succeed, and return what it prints."""
        result = self.run(*arguments, **more)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refuse(self, *arguments: str, **more: str) -> str:
        """Run a command that must be refused, and return the sentence that says why."""
        result = self.run(*arguments, **more)
        assert result.exit_code in {1, 2}, result.output
        assert "Error: " in result.stderr
        return " ".join(result.stderr.partition("Error: ")[2].split())


def over(folder: Path, database_url: str = "") -> CommandLine:
    """Return a command line over a data folder."""
    return CommandLine(env={"NOTICE_GATEWAY_DATA_DIR": str(folder), "NOTICE_GATEWAY_DATABASE_URL": database_url})
