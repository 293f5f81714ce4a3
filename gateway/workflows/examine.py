"""Examine an installation: what is well, what is not, and what to do about it."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.audio.library import Library
from gateway.audio.speech import render_text
from gateway.audio.wording import FIELDS
from gateway.db.schema import is_current
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import Telephone
from gateway.domain.order import OrderState
from gateway.domain.route import Routes
from gateway.privacy.ring import KeyRing
from gateway.register import installation, notices, orders
from gateway.workflows.publish_notice import Studio

_LIVING = {OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE, OrderState.SUSPENDED}
_SAMPLE = {"zh": "法院测试。"}


class Verdict(Enum):
    """How a finding is to be taken."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, what was found, and the cure (empty where none is needed)."""

    subject: str
    verdict: Verdict
    found: str
    cure: str = ""


def examine_database(engine: Engine, keys: KeyRing) -> Iterator[Finding]:
    """Look at the database, its schema and its key."""
    try:
        current = is_current(engine)
        with engine.begin() as connection:
            installation.claim(connection, keys)
            entries = orders.entries(connection, keys)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        cure = "check NOTICE_GATEWAY_DATABASE_URL and NOTICE_GATEWAY_DATA_DIR; `serve` creates a missing database"
        yield Finding(subject="database", verdict=Verdict.BAD, found=cause, cure=cure)
        return
    except GatewayError as error:
        yield Finding(subject="keys", verdict=Verdict.BAD, found=str(error), cure="restore the right key file")
        return
    schema = Finding(subject="schema", verdict=Verdict.GOOD, found="up to date")
    if not current:
        schema = Finding(subject="schema", verdict=Verdict.BAD, found="old", cure="restart `notice-gateway serve`")
    yield schema
    yield Finding(subject="keys", verdict=Verdict.GOOD, found=f"key {keys.key_id} opens {len(entries)} orders")


def examine_routes(routes: Routes) -> Finding:
    """Look for numbers that would ring the gateway again."""
    to = routes.destination_of(E164("+12025550100"))
    if isinstance(to, Telephone) and not to.trunk_sid and to.number == "+12025550100":
        return Finding(
            subject="routes",
            verdict=Verdict.WARNING,
            found="called numbers are dialled as they are",
            cure="a number hosted at the provider would ring the gateway again; set a trunk in config/routes.toml",
        )
    return Finding(subject="routes", verdict=Verdict.GOOD, found=f"{len(routes.lines)} lines of their own")


def examine_renditions(studio: Studio, now: datetime) -> Iterator[Finding]:
    """Look for notices without their files."""
    try:
        with studio.engine.connect() as connection:
            living = [
                entry.order for entry in orders.entries(connection, studio.keys) if entry.order.state_at(now) in _LIVING
            ]
            parts = notices.parts_of(connection, [order.order_id for order in living])
    except (SQLAlchemyError, GatewayError):
        return  # The database has a finding of its own.
    for order in living:
        files = [each.mulaw for renditions in parts.get(order.order_id, {}).values() for each in renditions]
        missing = [sha256 for sha256 in files if studio.library.path_of(sha256, "wav") is None]
        if missing or not files:
            cure = f"give the notice again with `notice-gateway notices add {order.order_id}`"
            found = f"{order.order_id} lacks {len(missing) or 'all'} files"
            yield Finding(subject="renditions", verdict=Verdict.BAD, found=found, cure=cure)
    yield Finding(subject="renditions", verdict=Verdict.GOOD, found=f"{len(living)} living orders looked through")


def examine_prompts(studio: Studio) -> Iterator[Finding]:
    """Look whether each language has every prompt and a voice, and let each voice speak."""
    voices = studio.synthesizer.languages()
    folders = sorted(path for path in studio.wording.root.glob("*") if path.is_dir())
    if not folders:
        cure = "set NOTICE_GATEWAY_PROMPTS_DIR to the folder with en/ and zh/ in it"
        yield Finding(subject="prompts", verdict=Verdict.BAD, found=f"none in {studio.wording.root}", cure=cure)
    for language in (path.name for path in folders):
        try:
            for purpose, fields in FIELDS.items():
                studio.wording.text(purpose, language, **dict.fromkeys(fields, "Test 1"))
        except GatewayError as error:
            yield Finding(subject=f"prompts {language}", verdict=Verdict.BAD, found=str(error), cure="restore the file")
            continue
        if language not in voices and language.partition("-")[0] not in voices:
            cure = "record the notices of this language instead of writing them"
            yield Finding(subject=f"voice {language}", verdict=Verdict.WARNING, found="no voice", cure=cure)
            continue
        yield _try_voice(studio, language)


def attempt(subject: str, check: Callable[[], str], cure: str) -> Finding:
    """Run a check that returns what it found, or raises what is wrong."""
    try:
        return Finding(subject=subject, verdict=Verdict.GOOD, found=check())
    except GatewayError as error:
        return Finding(subject=subject, verdict=Verdict.BAD, found=str(error), cure=cure)


def _try_voice(studio: Studio, language: str) -> Finding:
    text = _SAMPLE.get(language.partition("-")[0], "This is a test of the court's voice.")

    def speak() -> str:
        with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
            library = Library(Path(folder))
            rendition = render_text(text, language=language, library=library, synthesizer=studio.synthesizer)
        return f"spoke for {rendition.seconds:.1f} s"

    return attempt(f"voice {language}", speak, "run `make setup` again: the voice comes with the environment")
