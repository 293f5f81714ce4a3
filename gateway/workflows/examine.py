"""Examine an installation: what is well, what is not, and what to do about it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.audio.library import Library
from gateway.audio.speech import render_text
from gateway.audio.wording import FIELDS
from gateway.db.schema import is_current, is_newer
from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.facts import Telephone
from gateway.domain.order import OrderState
from gateway.domain.route import Routes
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register import installation, notices, orders
from gateway.register.batches import visible
from gateway.register.order_list import in_state
from gateway.register.tables import orders as order_rows
from gateway.workflows.publish_notice import Studio

_LIVING = {OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE, OrderState.SUSPENDED}
_APPROVED = (order_rows.c.approved_at.is_not(None), order_rows.c.lifted_at.is_(None))
_THERE = (order_rows.c.purged_at.is_(None), visible())
# A page names so many orders that lack files, and says how many more there are.
_MOST_NAMED = 20
# Databases take only so many parameters in one statement.
_AT_ONCE = 1000
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


def examine_database(engine: Engine, keys: KeyRing, *, most: int | None = None) -> Iterator[Finding]:
    """Look at the database, its schema and its key, which opens every order, or `most` of them."""
    try:
        current, newer = is_current(engine), is_newer(engine)
        with engine.connect() as connection:
            # A database that nobody has written in yet is not claimed by looking at it.
            if installation.is_claimed(connection):
                installation.claim(connection, keys)
            opened = _open_orders(connection, keys, most)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        cure = "check NOTICE_GATEWAY_DATABASE_URL and NOTICE_GATEWAY_DATA_DIR; `serve` creates a missing database"
        yield Finding(subject="database", verdict=Verdict.BAD, found=cause, cure=cure)
        return
    except GatewayError as error:
        yield Finding(subject="keys", verdict=Verdict.BAD, found=str(error), cure="restore the right key file")
        return
    schema = Finding(subject="schema", verdict=Verdict.GOOD, found="up to date")
    if newer:
        cure = "upgrade this host as well; it works meanwhile"
        schema = Finding(subject="schema", verdict=Verdict.WARNING, found="of a later release", cure=cure)
    elif not current:
        schema = Finding(subject="schema", verdict=Verdict.BAD, found="old", cure="restart `notice-gateway serve`")
    yield schema
    yield Finding(subject="keys", verdict=Verdict.GOOD, found=f"key {keys.key_id} opens {opened}")


def _open_orders(connection: Connection, keys: KeyRing, most: int | None) -> str:
    """Decrypt orders, and tell how many there were. Raises what is wrong with the first that does not open."""
    if most is None:
        return f"{len(orders.entries(connection, keys))} orders"
    # Ids are random, so the first of them are a sample of all ages, and the index of the primary key finds them.
    sample = select(order_rows).where(*_THERE).order_by(order_rows.c.order_id).limit(most)
    cipher = FieldCipher(keys)
    opened = len([orders.read_order(row, cipher) for row in connection.execute(sample)])
    if opened < most:
        return f"{opened} orders"
    # All of them, purged ones too: an index answers that, and nothing has to be read through.
    number = connection.execute(select(func.count()).select_from(order_rows)).scalar_one()
    return f"the {opened} orders that were looked at, of {number}"


def examine_routes(routes: Routes, *, over_sip_alone: bool = False) -> Finding:
    """Look for numbers that would ring the gateway again; calls over SIP go out over trunks, and carry a mark."""
    to = routes.destination_of(E164("+12025550100"))
    if not over_sip_alone and isinstance(to, Telephone) and not to.trunk_sid and to.number == "+12025550100":
        return Finding(
            subject="routes",
            verdict=Verdict.WARNING,
            found="called numbers are dialled as they are",
            cure="a number hosted at the provider would ring the gateway again; set a trunk in config/routes.toml",
        )
    return Finding(subject="routes", verdict=Verdict.GOOD, found=f"{len(routes.lines)} lines of their own")


def examine_renditions(studio: Studio, now: datetime, *, most: int | None = None) -> Iterator[Finding]:
    """Look for notices without their files: of every living order, or of `most` of them, of which few are named."""
    if most is None:
        living = (*_THERE, or_(*(in_state(state, now) for state in _LIVING)))
        wanted = select(order_rows.c.order_id).where(*living).order_by(order_rows.c.drafted_at, order_rows.c.order_id)
    else:
        # As the index of what is approved and not over has it, so that no ended order is read through.
        living = (*_APPROVED, order_rows.c.valid_until > now)
        wanted = select(order_rows.c.order_id).where(*living).order_by(order_rows.c.valid_until.desc()).limit(most)
    try:
        with studio.engine.connect() as connection:
            ids = connection.execute(wanted).scalars().all()
            number = connection.execute(select(func.count()).select_from(order_rows).where(*living)).scalar_one()
            lacking = list(_lacking(connection, studio.library, ids))
    except (SQLAlchemyError, GatewayError):
        return  # The database has a finding of its own.
    named = lacking if most is None else lacking[:_MOST_NAMED]
    for order_id, lacks in named:
        cure = f"give the notice again with `notice-gateway notices add {order_id}`"
        yield Finding(subject="renditions", verdict=Verdict.BAD, found=f"{order_id} lacks {lacks} files", cure=cure)
    if len(lacking) > len(named):
        found = f"{len(lacking) - len(named)} more orders lack files"
        yield Finding(subject="renditions", verdict=Verdict.BAD, found=found, cure="`notice-gateway doctor` names them")
    looked = f"{number}" if len(ids) == number else f"{len(ids)} of {number}"
    yield Finding(subject="renditions", verdict=Verdict.GOOD, found=f"{looked} living orders looked through")


def _lacking(connection: Connection, library: Library, ids: Sequence[str]) -> Iterator[tuple[str, int | str]]:
    """Yield each order that lacks files, with how many; `all` where it has no notice. Files are looked up once."""
    present: dict[str, bool] = {}
    for begin in range(0, len(ids), _AT_ONCE):
        some = ids[begin : begin + _AT_ONCE]
        parts = notices.parts_of(connection, some)
        for order_id in some:
            files = [each.mulaw for renditions in parts.get(order_id, {}).values() for each in renditions]
            for sha256 in files:
                if sha256 not in present:
                    present[sha256] = library.holds(sha256)
            missing = sum(1 for sha256 in files if not present[sha256])
            if missing or not files:
                yield order_id, missing or "all"


def examine_prompts(studio: Studio, *, voices: bool = True) -> Iterator[Finding]:
    """Look whether each language has every prompt and a voice; with `voices`, let each voice speak."""
    spoken = studio.synthesizer.languages()
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
        if language not in spoken and language.partition("-")[0] not in spoken:
            cure = "record the notices of this language instead of writing them"
            yield Finding(subject=f"voice {language}", verdict=Verdict.WARNING, found="no voice", cure=cure)
            continue
        if voices:
            yield _try_voice(studio, language)
        else:
            yield Finding(subject=f"voice {language}", verdict=Verdict.GOOD, found="there is one; it was not tried")


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
