"""`notice-gateway doctor`."""

import re
from collections.abc import Iterator

import click
import httpx
from rich.table import Table
from rich.text import Text

from gateway.cli.context import OUT, Tools
from gateway.clock import utc_now
from gateway.domain.errors import GatewayError
from gateway.settings import Settings
from gateway.workflows.examine import (
    Finding,
    Verdict,
    attempt,
    examine_database,
    examine_prompts,
    examine_renditions,
    examine_routes,
)

_STYLES = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.BAD: "red"}
_REFUSED = re.compile(r"^notice_gateway_webhooks_refused_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)
_TIMEOUT_SECONDS = 3


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check settings, signature, database, keys, prompts and voices, and say what to do. Exit code 1 if one is bad."""
    tools: Tools = ctx.obj
    findings = list(_findings(tools))
    table = Table("What", "Verdict")
    for heading in ("Found", "What to do"):
        table.add_column(heading, overflow="fold")
    for each in findings:
        verdict = Text(each.verdict.value, style=_STYLES[each.verdict])
        table.add_row(each.subject, verdict, Text(each.found), Text(each.cure))
    OUT.print(table)
    if any(each.verdict is Verdict.BAD for each in findings):
        ctx.exit(1)


def _findings(tools: Tools) -> Iterator[Finding]:
    try:
        settings = tools.settings()
    except GatewayError as error:
        yield Finding(subject="settings", verdict=Verdict.BAD, found=str(error), cure="correct it and run doctor again")
        return
    yield from _settings(tools, settings)
    try:
        parts = tools.parts()
    except GatewayError as error:
        yield Finding(subject="keys", verdict=Verdict.BAD, found=str(error), cure="restore the key file from backup")
        return
    except OSError as error:
        found = f"{error.filename}: {error.strerror}"
        yield Finding(subject="data folder", verdict=Verdict.BAD, found=found, cure="set NOTICE_GATEWAY_DATA_DIR")
        return
    yield from examine_database(parts.studio.engine, parts.keys)
    yield from examine_renditions(parts.studio, utc_now())
    yield from examine_prompts(parts.studio)
    yield from _running(settings)


def _settings(tools: Tools, settings: Settings) -> Iterator[Finding]:
    where = f"data in {settings.data_dir}, reached at {settings.public_origin}"
    yield Finding(subject="settings", verdict=Verdict.GOOD, found=where)
    yield _token(settings)
    if settings.twilio_tokens:
        works = tools.signature_works(settings)
        found = "a webhook signed with each token is accepted" if works else "our own signature is refused"
        yield Finding(subject="signature", verdict=Verdict.GOOD if works else Verdict.BAD, found=found)
    if settings.public_origin.startswith("http:") and "127.0.0.1" not in settings.public_origin:
        cure = "give the provider an https:// address"
        yield Finding(subject="origin", verdict=Verdict.WARNING, found="callbacks go unencrypted", cure=cure)
    try:
        yield examine_routes(settings.routes())
    except GatewayError as error:
        yield Finding(subject="routes", verdict=Verdict.BAD, found=str(error), cure="correct config/routes.toml")
    yield attempt("bypass list", lambda: f"{len(settings.bypass().callers)} spellings", "correct config/bypass.toml")


def _token(settings: Settings) -> Finding:
    if settings.twilio_auth_token is not None:
        return Finding(subject="auth token", verdict=Verdict.GOOD, found="set in the environment")
    if settings.is_demo:
        cure = "set NOTICE_GATEWAY_TWILIO_AUTH_TOKEN before real calls"
        return Finding(subject="auth token", verdict=Verdict.WARNING, found="the demo's public token", cure=cure)
    cure = "copy it from the Twilio console into NOTICE_GATEWAY_TWILIO_AUTH_TOKEN"
    return Finding(subject="auth token", verdict=Verdict.BAD, found="not set: every call would be refused", cure=cure)


def _running(settings: Settings) -> Iterator[Finding]:
    try:
        ready = httpx.get(f"{settings.public_origin}/readyz", timeout=_TIMEOUT_SECONDS)
        status = str(ready.json().get("status", ready.status_code))
    except (httpx.HTTPError, ValueError) as error:
        cure = "start it with `notice-gateway serve`, or correct NOTICE_GATEWAY_PUBLIC_ORIGIN"
        found = f"nothing answers at {settings.public_origin} ({type(error).__name__})"
        yield Finding(subject="gateway", verdict=Verdict.WARNING, found=found, cure=cure)
        return
    verdict = Verdict.GOOD if status == "ok" else Verdict.WARNING
    yield Finding(subject="gateway", verdict=verdict, found=f"readyz says {status}")
    yield _refused(settings)


def _refused(settings: Settings) -> Finding:
    """Tell how many webhooks were refused: a wrong token or origin shows here first."""
    token = settings.metrics_token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        text = httpx.get(f"{settings.public_origin}/metrics", headers=headers, timeout=_TIMEOUT_SECONDS).text
    except httpx.HTTPError as error:
        return Finding(subject="refused webhooks", verdict=Verdict.WARNING, found=f"not told: {type(error).__name__}")
    count = int(sum(float(value) for value in _REFUSED.findall(text)))
    if count == 0:
        return Finding(subject="refused webhooks", verdict=Verdict.GOOD, found="none since the gateway started")
    cure = "if they are the provider's own, the auth token or the public origin is wrong"
    return Finding(
        subject="refused webhooks", verdict=Verdict.WARNING, found=f"{count} with a bad signature", cure=cure
    )
