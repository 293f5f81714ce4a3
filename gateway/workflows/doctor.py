"""What `notice-gateway doctor` and the console show of an installation: findings, and settings without secrets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.domain.errors import GatewayError
from gateway.settings import PREFIX, Settings
from gateway.workflows.examine import (
    Finding,
    Verdict,
    attempt,
    examine_database,
    examine_prompts,
    examine_renditions,
    examine_routes,
)
from gateway.workflows.examine_storage import examine_storage
from gateway.workflows.publish_notice import Studio

MASK = "***"
_REFUSED = re.compile(r"^notice_gateway_webhooks_refused_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)
_TIMEOUT_SECONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingShown:
    """A setting as it may be shown: `value` is masked where it is secret, and empty where nothing is set.

    `variable` is what sets it in the environment; `is_default` says that it has the value of a new installation.
    """

    name: str
    variable: str
    value: str = field(repr=False)
    is_secret: bool
    is_default: bool


def settings_shown(settings: Settings) -> tuple[SettingShown, ...]:
    """Return every setting in the order of its definition, with secrets and the passwords in URLs masked."""
    return tuple(_shown(settings, name) for name in Settings.model_fields)


def examine_gateway(
    settings: Settings,
    studio: Studio,
    signature_works: Callable[[], bool] | None,
    now: datetime,
    *,
    most: int | None = None,
    voices: bool = True,
) -> Iterator[Finding]:
    """Look at everything but whether the gateway answers, which whoever asks from within one knows.

    Everything takes seconds: each voice speaks a sentence, and every living order is looked through. `most` bounds the
    orders that are opened, and without `voices` none speaks: so it is quick enough for a page.
    """
    yield from examine_settings(settings, signature_works)
    yield from examine_register(studio, now, most=most, voices=voices)


def examine_register(
    studio: Studio, now: datetime, *, most: int | None = None, voices: bool = True
) -> Iterator[Finding]:
    """Look at the database, its keys, the renditions, the prompts and the voices; nothing is locked or written."""
    yield from examine_database(studio.engine, studio.keys, most=most)
    yield from examine_storage(studio.library)
    yield from examine_renditions(studio, now, most=most)
    yield from examine_prompts(studio, voices=voices)


def examine_settings(settings: Settings, signature_works: Callable[[], bool] | None) -> Iterator[Finding]:
    """Look at what is set; `signature_works` signs and checks a webhook with each token, None leaves that out."""
    where = f"data in {settings.data_dir}, reached at {settings.public_origin}"
    yield Finding(subject="settings", verdict=Verdict.GOOD, found=where)
    yield _token(settings)
    if settings.twilio_tokens and signature_works is not None:
        works = signature_works()
        found = "a webhook signed with each token is accepted" if works else "our own signature is refused"
        cure = "" if works else "correct NOTICE_GATEWAY_TWILIO_AUTH_TOKEN and NOTICE_GATEWAY_PUBLIC_ORIGIN"
        yield Finding(subject="signature", verdict=Verdict.GOOD if works else Verdict.BAD, found=found, cure=cure)
    if settings.public_origin.startswith("http:") and "127.0.0.1" not in settings.public_origin:
        cure = "give the provider an https:// address"
        yield Finding(subject="origin", verdict=Verdict.WARNING, found="callbacks go unencrypted", cure=cure)
    try:
        alone = bool(settings.sip_secrets) and not settings.twilio_tokens
        yield examine_routes(settings.routes(), over_sip_alone=alone)
    except GatewayError as error:
        yield Finding(subject="routes", verdict=Verdict.BAD, found=str(error), cure="correct config/routes.toml")
    yield attempt("bypass list", lambda: f"{len(settings.bypass().callers)} spellings", "correct config/bypass.toml")


def examine_running(settings: Settings) -> Iterator[Finding]:
    """Ask the gateway that answers at the public origin how it does."""
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


def _token(settings: Settings) -> Finding:
    if settings.twilio_auth_token is not None:
        return Finding(subject="auth token", verdict=Verdict.GOOD, found="set in the environment")
    if settings.is_demo:
        cure = "set NOTICE_GATEWAY_TWILIO_AUTH_TOKEN before real calls"
        return Finding(subject="auth token", verdict=Verdict.WARNING, found="the demo's public token", cure=cure)
    if settings.sip_secrets:
        return Finding(subject="auth token", verdict=Verdict.GOOD, found="none of Twilio's: calls come over SIP alone")
    cure = "copy it from the Twilio console into NOTICE_GATEWAY_TWILIO_AUTH_TOKEN"
    return Finding(subject="auth token", verdict=Verdict.BAD, found="not set: every call would be refused", cure=cure)


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


def _shown(settings: Settings, name: str) -> SettingShown:
    value, definition = getattr(settings, name), Settings.model_fields[name]
    is_secret = "SecretStr" in str(definition.annotation)
    if isinstance(value, SecretStr):
        text = MASK if value.get_secret_value() else ""
    else:
        # A path that was not set is shown as what it is, and not as the folder of whoever asks.
        text = "" if value in (None, Path()) else _masked(str(value))
    return SettingShown(
        name=name,
        variable=PREFIX + name.upper(),
        value=text,
        is_secret=is_secret,
        is_default=_is(value, definition.get_default()),
    )


def _is(value: object, default: object) -> bool:
    """Tell whether a setting has its default: some hold a path as it was given, others from the root on."""
    return value == default or (isinstance(default, Path) and value == default.resolve())


def _masked(text: str) -> str:
    """Return a value with what a URL in it keeps secret masked: the password, and whatever its query says."""
    if "://" not in text:
        return text
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        return MASK
    query = "&".join(f"{name}={MASK}" for name in sorted(url.query))
    return url.set(query={}).render_as_string(hide_password=True) + (query and f"?{query}")
