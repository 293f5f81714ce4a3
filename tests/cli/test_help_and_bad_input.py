"""Every command teaches what it does, and answers bad input with a sentence and never with a stack trace."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click
import pytest

import gateway.cli
from gateway.cli.main import build
from gateway.cli.teaching import LateCommand
from tests.cli.command_line import CommandLine, over


def nothing() -> NoReturn:
    """Stand for the program's parts, which no command may need to show its help."""
    raise AssertionError("a command was run")


def command_of(group: click.Group, name: str) -> click.Command:
    """Return a command itself, loaded."""
    command = group.commands[name]
    return command.loaded() if isinstance(command, LateCommand) else command


def commands_of(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the words of every command and group."""
    yield path
    for name in sorted(group.commands):
        command = command_of(group, name)
        if isinstance(command, click.Group):
            yield from commands_of(command, (*path, name))
        else:
            yield (*path, name)


def command_at(path: tuple[str, ...]) -> click.Command:
    """Return the command that these words call."""
    command: click.Command = build(nothing)
    for name in path:
        assert isinstance(command, click.Group)
        command = command_of(command, name)
    return command


COMMANDS = tuple(commands_of(build(nothing)))
IDS = [" ".join(path) or "notice-gateway" for path in COMMANDS]


@pytest.mark.parametrize("path", COMMANDS, ids=IDS)
def test_the_help_of_a_command_teaches(path: tuple[str, ...], tmp_path: Path) -> None:
    told = over(tmp_path / "data").succeed(*path, "--help")
    explained = told.partition("Options:")[0].split(maxsplit=2)[-1]
    # More than its own name said again: a sentence with a verb and an object at least.
    assert len(explained.split()) >= 6
    assert "." in explained
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("path", COMMANDS, ids=IDS)
def test_every_option_of_a_command_says_what_it_is_for(path: tuple[str, ...]) -> None:
    command = command_at(path)
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


LATE = tuple(
    (path, stand_in)
    for path in COMMANDS
    if path
    and isinstance(group := command_at(path[:-1]), click.Group)
    and isinstance(stand_in := group.commands[path[-1]], LateCommand)
)


@pytest.mark.parametrize(("path", "stand_in"), LATE, ids=[" ".join(path) for path, _ in LATE])
def test_the_list_says_of_a_command_what_the_command_itself_says(path: tuple[str, ...], stand_in: LateCommand) -> None:
    command = stand_in.loaded()
    assert command.name == path[-1]
    assert stand_in.get_short_help_str(1000) == command.get_short_help_str(1000)
    assert stand_in.hidden == command.hidden
    assert stand_in.deprecated == command.deprecated


def test_every_module_that_has_a_command_is_listed() -> None:
    """A command that no group has, and that is not listed, is one that somebody forgot."""
    reached = [command_at(path) for path in COMMANDS]
    for module in pkgutil.iter_modules(gateway.cli.__path__):
        for each in vars(importlib.import_module(f"gateway.cli.{module.name}")).values():
            assert not isinstance(each, click.Command) or any(each is other for other in reached), each.name


@pytest.mark.parametrize(("wrong", "meant"), [("serv", "serve"), ("order", "orders"), ("doctr", "doctor")])
def test_a_misspelt_command_is_answered_with_the_one_that_is_meant(tmp_path: Path, wrong: str, meant: str) -> None:
    assert f"'{meant}'" in over(tmp_path).refuse(wrong)


def test_the_help_loads_neither_the_database_nor_what_signs_or_speaks() -> None:
    heavy = ("alembic", "httpx", "numpy", "pydantic", "rich", "sqlalchemy", "structlog", "webauthn", "gateway.assembly")
    assert loaded_by("gateway.command", heavy) == []


def test_the_parts_of_every_command_load_nothing_that_only_few_commands_need() -> None:
    assert (
        loaded_by("gateway.program", ("alembic", "authlib", "flask", "fsspec", "httpx", "numpy", "psycopg", "webauthn"))
        == []
    )


def loaded_by(module: str, names: tuple[str, ...]) -> list[str]:
    """Return which of `names` a process of its own has loaded after `module`."""
    program = f"import sys, {module}; print(*(each for each in {names} if each in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_the_help_names_every_command_that_outside_programs_rely_on(tmp_path: Path) -> None:
    assert {
        ("demo",),
        ("serve",),
        ("call",),
        ("notices", "add"),
        ("orders", "issue"),
        ("orders", "lift"),
        ("orders", "suspend"),
        ("orders", "list"),
        ("districts", "list"),
        ("districts", "on"),
        ("districts", "off"),
        ("doctor",),
    } <= set(COMMANDS)
    assert "notice-gateway call +12025550110" in " ".join(over(tmp_path).succeed("--help").split())


BAD = (
    ("call",),
    ("call", ""),
    ("call", "+12025550110", "--key", "1"),
    ("call", "+12025550110", "--key", "12@3"),
    ("call", "+12025550110", "--key", "1@-3"),
    ("call", "+12025550110", "--hangup", "soon"),
    ("call", "+12025550110", "--hangup", "nan"),
    ("call", "+12025550110", "--ring", "-1"),
    ("call", "+12025550110", "--callee", "asleep"),
    ("orders",),
    ("orders", "lift"),
    ("orders", "lift", "no such order"),
    ("orders", "issue"),
    ("notices", "add", "ord_1"),
    ("districts", "off", "nowhere", "--reason", "x"),
    ("courts", "add", "x"),
    ("no-such-command",),
    ("--no-such-option",),
)


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_gets_a_sentence(commands: CommandLine, arguments: tuple[str, ...]) -> None:
    result = commands.run(*arguments)
    assert result.exit_code in {1, 2}
    assert result.stderr.strip()


def test_calling_a_gateway_that_does_not_run_says_how_to_start_it(commands: CommandLine) -> None:
    why = commands.refuse("call", "+12025550110", public_origin="http://127.0.0.1:1")
    assert "notice-gateway serve" in why


@pytest.mark.parametrize(
    "arguments", [("orders", "list"), ("districts", "list"), ("courts", "list"), ("orders", "lift", "ord_1")]
)
def test_a_command_without_a_register_says_how_to_make_one(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "notice-gateway demo" in over(tmp_path / "nothing").refuse(*arguments)


@pytest.mark.parametrize("arguments", [("orders", "list"), ("courts", "add", "aa"), ("demo",)])
def test_a_data_folder_that_is_a_file_is_told_in_a_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    place = tmp_path / "a-file"
    place.write_text("not a folder", encoding="utf-8")
    more = ("--name", "A Court", "--zone", "Europe/London") if arguments[0] == "courts" else ()
    result = over(place / "data").run(*arguments, *more)
    assert result.exit_code == 1
    assert "a-file" in result.output


def test_a_broken_database_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    commands = over(tmp_path / "data")
    commands.succeed("courts", "add", "hillside", "--name", "Hillside", "--zone", "Europe/London")
    (tmp_path / "data" / "register.sqlite3").write_bytes(b"this is no database" * 1000)
    for path in tmp_path.glob("data/register.sqlite3-*"):
        path.unlink()
    assert "doctor" in commands.refuse("orders", "list")
