"""`notice-gateway call`: play the provider against the running gateway and tell what each party hears."""

import json
import math
import re
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.audio.mixdown import write_mixdown
from gateway.domain.errors import GatewayError
from gateway.workflows.simulate_call import (
    DEFAULT_CALLER,
    DEFAULT_RING_SECONDS,
    LONGEST_CALL_SECONDS,
    SPOKEN_NAMES,
    CalleeBehaviour,
    CallScript,
    KeyPress,
    Party,
    PlayedCall,
    to_json,
)

_KEY = re.compile(r"([0-9*#])@([0-9]+(?:\.[0-9]+)?)")


class Player(Protocol):
    """Plays a script the way a provider does."""

    def play(self, script: CallScript) -> PlayedCall:
        """Play `script` to its end. Raises GatewayError."""
        ...


class CallContext(Protocol):
    """What the command needs from the program that runs it (`ctx.obj`)."""

    def player_for_calls(self) -> Player:
        """Return a player set up for the configured gateway. Raises GatewayError."""
        ...


class _Seconds(click.ParamType[float, object]):
    """A length of time within the longest call there is."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read `value`, refusing what is no number, negative, not finite or longer than four hours."""
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= LONGEST_CALL_SECONDS:
            limit = f"{LONGEST_CALL_SECONDS:.0f}"
            self.fail(f"{value!r} is not a time; write seconds from 0 to {limit}, for example 2.5", param, ctx)
        return seconds


class _Key(click.ParamType[KeyPress, object]):
    """A key press, DIGIT@SECONDS."""

    name = "digit@seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> KeyPress:
        """Read `value`."""
        found = _KEY.fullmatch(str(value))
        if found is None:
            hint = "write a key (0-9, * or #), @ and the seconds since the start of the call, for example 1@4.5"
            self.fail(f"{value!r} is not DIGIT@SECONDS; {hint}", param, ctx)
        return KeyPress(digit=found[1], at=_Seconds().convert(found[2], param, ctx))


def _callee(_: click.Context, param: click.Parameter, value: str) -> str:
    """Refuse an empty number; anything else is put to the gateway as it is, for it must cope with it."""
    if not value.strip():
        raise click.BadParameter("is empty; give the number to call, for example +12025550110", param=param)
    return value.strip()


@click.command()
@click.argument("callee", callback=_callee)
@click.option("--from", "caller", default=DEFAULT_CALLER, show_default=True, help="The number that calls.")
@click.option(
    "--key",
    "keys",
    type=_Key(),
    multiple=True,
    metavar="DIGIT@SECONDS",
    help="Press a key at that time; it goes to whoever is being listened to then. Repeatable.",
)
@click.option("--hangup", type=_Seconds(), metavar="SECONDS", help="The caller hangs up at that time.")
@click.option(
    "--callee",
    "behaviour",
    type=click.Choice([each.value for each in CalleeBehaviour]),
    default=CalleeBehaviour.ANSWERS.value,
    show_default=True,
    help="What the called party does.",
)
@click.option(
    "--ring",
    type=_Seconds(),
    default=DEFAULT_RING_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long the called telephone rings before it is picked up.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write caller.wav and callee.wav there: what each party would have heard.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the timeline.")
@click.pass_obj
def call(  # noqa: PLR0913  (One parameter for each option of the command is how click hands them over.)
    context: CallContext,
    *,
    callee: str,
    caller: str,
    keys: tuple[KeyPress, ...],
    hangup: float | None,
    behaviour: str,
    ring: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Call CALLEE through the running gateway, as Twilio would, and tell what each party hears.

    The gateway must be running (`notice-gateway serve`). The call itself takes no time: it runs on a clock of its own
    that starts when the gateway's first answer is in, and all seconds are counted on it.

    \b
    Examples:
      notice-gateway call +12025550110               a public notice, then the connection
      notice-gateway call +12025550110 --key 5@2     the caller skips it after two seconds
      notice-gateway call +12025550120 --key 1@4     the called person asks for the content
      notice-gateway call +12025550110 --out calls   also write calls/caller.wav and calls/callee.wav
    """  # noqa: D301  (The backslash is click's own mark for a paragraph that keeps its lines.)
    script = CallScript(
        callee=callee,
        caller=caller,
        keys=keys,
        hangup_at=math.inf if hangup is None else hangup,
        behaviour=CalleeBehaviour(behaviour),
        ring_seconds=ring,
    )
    try:
        played = context.player_for_calls().play(script)
    except GatewayError as error:
        raise click.ClickException(str(error)) from error
    if out is not None:
        _write_sounds(out, played)
    if as_json:
        click.echo(json.dumps(to_json(played), ensure_ascii=False))
    else:
        _show(played, Console())


def _write_sounds(folder: Path, played: PlayedCall) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for party in (Party.CALLER, Party.CALLEE):
            write_mixdown(folder / f"{party.value}.wav", played.sounds.get(party, ()), played.ticks)
    except OSError as error:
        why = error.strerror or str(error)
        raise click.ClickException(
            f"Cannot write the sound into {folder}: {why}. Give --out another folder."
        ) from error


def _show(played: PlayedCall, console: Console) -> None:
    timeline = Table("Time", "Party", "What", title="What happened", title_justify="left")
    for entry in played.timeline:
        style = "red" if entry.trouble else ""
        timeline.add_row(f"{entry.at:.2f}", entry.party.value, Text(entry.what, style=style), style=style)
    console.print(timeline)
    console.print(Text(f"Decision: {played.decision} ({played.reason})"))
    for party in (Party.CALLER, Party.CALLEE):
        console.print(Text(f"The {party.value} heard: {_in_words(played, party)}"))
    console.print(
        Text(f"Connected to: {played.connected_to or 'nobody'}; the call ended as {played.disposition.value}.")
    )
    webhooks = Table("Webhook", "Status", "ms", title="Requests to the gateway", title_justify="left")
    for each in played.webhooks:
        webhooks.add_row(Text(each.path), str(each.status) if each.status else "no answer", f"{each.ms:.1f}")
    console.print(webhooks)


def _in_words(played: PlayedCall, party: Party) -> str:
    heard = (f"{SPOKEN_NAMES.get(each.kind, each.kind)}, {each.seconds:.2f} s" for each in played.heard_by(party))
    return "; ".join(heard) or "no notice"
