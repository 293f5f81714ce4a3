"""What is long over is forgotten, whole and for good; what is not over is never touched."""

import os
import random
import subprocess
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import LargeBinary, MetaData, delete, func, select, update

from gateway.assembly import Parts
from gateway.audit.play_seal import is_sealed
from gateway.audit.tables import plays, trail
from gateway.audit.tags import Tag
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import COMMAND_LINE
from gateway.domain.standing import Ground
from gateway.register import installation, orders, retention
from gateway.register.errors import PurgedOrderError
from gateway.register.lines import Line
from gateway.register.tables import disputes, documents, lines, notices, proposals, remarks, renditions
from gateway.register.tables import orders as order_rows
from gateway.workflows.change import Errand
from gateway.workflows.keep_document import keep_document
from gateway.workflows.load_demo import samples
from gateway.workflows.purge_ended import Purge, list_ended, purge_daily, purge_ended
from tests.builders import an_order
from tests.postgres import Postgres
from tests.telephone import Telephone, a_call_sid

YEAR = 365
# The demo's orders run for 90 days at most, so that by now all of them are long over.
ALL_OVER = timedelta(days=YEAR + 100)
# So that nothing counts as just made.
AGES_HENCE = utc_now() + 9 * ALL_OVER
PDF = b"%PDF-1.7 the judgment against A. Nobody"


def errand(at: datetime) -> Errand:
    return Errand(actor=COMMAND_LINE, at=at)


def purge(parts: Parts, at: datetime, *, days: int = YEAR) -> Purge:
    return list(purge_ended(parts.office, errand(at), days=days))[-1]


def id_of(parts: Parts, case_number: str) -> str:
    with parts.studio.engine.connect() as connection:
        return orders.find(connection, "lakeside", case_number, parts.keys)


def states(parts: Parts) -> Mapping[str, datetime | None]:
    with parts.studio.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(select(order_rows.c.order_id, order_rows.c.purged_at))}


@pytest.fixture
def used(telephone: Telephone, parts: Parts) -> Parts:
    """The demo after a call to each of its lines, with a remark, a note, a proposal and a document on some."""
    for sample in samples():
        sid = a_call_sid()
        answer = telephone.call(sample.line.number.number, sid=sid)
        if b"/twilio/whisper" in answer.data:
            telephone.answer(answer, sid)
    document = keep_document(parts.office, "lakeside", BytesIO(PDF), errand(utc_now()))
    order_id = id_of(parts, "2026-CV-0110")
    secret = parts.office.cipher.encrypt("about A. Nobody", place="test")
    with parts.studio.engine.begin() as connection:
        rendition_id = (
            connection.execute(select(notices.c.rendition_id).where(notices.c.order_id == order_id)).scalars().first()
        )
        officer = {"added_by": "per_1", "added_at": utc_now()}
        connection.execute(
            update(order_rows).where(order_rows.c.order_id == order_id).values(document_sha256=document.sha256)
        )
        connection.execute(
            proposals.insert().values(
                order_id=order_id, purpose="public", language="fr", text=secret, rendition_id=rendition_id, **officer
            )
        )
        connection.execute(
            remarks.insert().values(
                remark_id="rem_1", order_id=order_id, about="x", text=secret, written_by="per_1", at=utc_now()
            )
        )
        connection.execute(
            disputes.insert().values(
                dispute_id="dis_1",
                order_id=order_id,
                line_id="line_1",
                ground=Ground.CONTESTED.value,
                call_index=bytes(16),
                opened_at=utc_now(),
                note=secret,
            )
        )
    return parts


def test_only_what_was_over_so_many_days_ago_is_purged(parts: Parts) -> None:
    expired, lifted = id_of(parts, "2026-CV-0150"), id_of(parts, "2026-CV-0130")
    now = utc_now()
    # One expired ten days ago, one was lifted yesterday.
    assert purge(parts, now, days=30) == Purge()
    assert list_ended(parts.office, now + timedelta(days=25), 30) == (expired,)
    assert purge(parts, now + timedelta(days=25), days=30).orders == 1
    assert [order_id for order_id, at in states(parts).items() if at] == [expired]
    assert purge(parts, now + timedelta(days=30), days=30).orders == 1
    assert {order_id for order_id, at in states(parts).items() if at} == {expired, lifted}


def test_a_second_run_finds_nothing_to_do(used: Parts) -> None:
    at = utc_now() + ALL_OVER
    assert purge(used, at).orders == len(samples())
    assert purge(used, at) == Purge()
    with used.studio.engine.connect() as connection:
        told = select(func.count()).where(trail.c.tag == Tag.DATA_PURGED.value, trail.c.subject_id.like("ord%"))
        assert connection.execute(told).scalar_one() == len(samples())


def test_of_a_purged_order_only_dates_officers_and_hashes_are_left(used: Parts) -> None:
    order_id = id_of(used, "2026-CV-0110")
    at = utc_now() + ALL_OVER
    done = purge(used, at)
    assert (done.lines, done.documents) == (len(samples()), 1)
    assert done.plays > 0
    with used.studio.engine.connect() as connection:
        for table in (lines, proposals, remarks):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
        assert set(connection.execute(select(notices.c.text)).scalars()) == {None}
        assert connection.execute(select(disputes.c.note)).scalars().all() == [None]
        assert connection.execute(select(documents.c.file_key)).scalars().all() == [None]
        row = connection.execute(select(order_rows).where(order_rows.c.order_id == order_id)).one()
        assert (row.case_index, row.case_number, row.subject, row.legal_basis) == (None, None, None, None)
        assert (row.purged_at, row.valid_until is not None, row.approved_by != "") == (at, True, True)
    with used.studio.engine.begin() as connection, pytest.raises(PurgedOrderError):
        orders.get(connection, order_id, used.keys)


def test_plays_stay_proven_and_nobody_can_tell_any_more_on_which_line_they_were(used: Parts) -> None:
    with used.studio.engine.connect() as connection:
        before = {row.play_id: row for row in connection.execute(select(plays))}
    purge(used, utc_now() + ALL_OVER)
    with used.studio.engine.connect() as connection:
        after = {row.play_id: row for row in connection.execute(select(plays))}
    assert before.keys() == after.keys()
    assert len({row.line_index for row in after.values()}) == len(after)
    for play_id, row in after.items():
        assert is_sealed(row._asdict(), used.keys)
        assert row.line_index != before[play_id].line_index
        assert (row.caller_index, row.provider_call_id) == (None, None)
        assert (row.files, row.played_at) == (before[play_id].files, before[play_id].played_at)


def test_the_trail_counts_what_was_removed_and_names_nobody(used: Parts) -> None:
    order_id = id_of(used, "2026-CV-0110")
    purge(used, utc_now() + ALL_OVER)
    with used.studio.engine.connect() as connection:
        entry = connection.execute(
            select(trail).where(trail.c.tag == Tag.DATA_PURGED.value, trail.c.subject_id == order_id)
        ).one()
    assert entry.court_id == "lakeside"
    assert entry.details == '{"lines":1,"notes":1,"notices":2,"plays":1,"proposals":1,"remarks":1}'


def test_screens_learn_that_lines_are_gone(used: Parts) -> None:
    with used.studio.engine.connect() as connection:
        before = installation.generation(connection)
    purge(used, utc_now() + ALL_OVER)
    with used.studio.engine.connect() as connection:
        assert installation.generation(connection) != before


def recordings(parts: Parts) -> set[str]:
    return {path.stem for path in parts.studio.library.root.glob("??/*.wav")}


def test_recordings_that_name_somebody_go_and_those_that_another_order_needs_stay(used: Parts) -> None:
    order_id = id_of(used, "2026-SV-0120")
    with used.studio.engine.begin() as connection:
        connection.execute(
            update(order_rows).where(order_rows.c.order_id == order_id).values(valid_until=utc_now() + 3 * ALL_OVER)
        )
        kept = retention.sounding_files(connection, AGES_HENCE)
    before = recordings(used)
    assert kept <= before
    done = purge(used, utc_now() + ALL_OVER)
    assert done.recordings > 0
    after = recordings(used)
    with used.studio.engine.connect() as connection:
        living = retention.sounding_files(connection, AGES_HENCE)
        mine = select(renditions.c.mulaw).join(notices, notices.c.rendition_id == renditions.c.rendition_id)
        private = connection.execute(mine.where(notices.c.order_id == order_id)).scalars().all()
    assert after == living
    assert set(private) <= after < before


def test_a_recording_that_was_just_made_is_left_for_the_next_run(used: Parts) -> None:
    at = utc_now() + ALL_OVER
    fresh = next(used.studio.library.root.glob("??/*.wav"))
    os.utime(fresh, (at.timestamp(), at.timestamp()))
    unheard = delete(plays)
    with used.studio.engine.begin() as connection:
        connection.execute(unheard)
    purge(used, at)
    assert fresh.exists()
    with used.studio.engine.connect() as connection:
        needed = retention.sounding_files(connection, AGES_HENCE)
    purge(used, at + timedelta(days=2))
    assert fresh.exists() == (fresh.stem in needed)


def test_files_that_a_killed_run_left_behind_are_found_by_the_next(used: Parts) -> None:
    at = utc_now() + ALL_OVER
    name = next(iter(used.vault.names()))
    sealed = (used.settings.vault_dir / name).read_bytes()
    sound = {path: path.read_bytes() for path in used.studio.library.root.glob("??/*.wav")}
    half_written = used.studio.library.root / ".adding-x"
    half_written.write_bytes(b"RIFF")
    purge(used, at)
    left = recordings(used)
    # As if the first run had been killed before it came to the files.
    (used.settings.vault_dir / name).write_bytes(sealed)
    for path, content in sound.items():
        path.write_bytes(content)
    assert purge(used, at).recordings == len(sound) - len(left)
    assert recordings(used) == left
    assert used.vault.names() == frozenset()
    assert not half_written.exists()


def test_a_document_that_another_order_rests_on_stays(used: Parts) -> None:
    order_id = id_of(used, "2026-CV-0111")
    with used.studio.engine.begin() as connection:
        sha256 = connection.execute(select(documents.c.sha256)).scalar_one()
        connection.execute(
            update(order_rows)
            .where(order_rows.c.order_id == order_id)
            .values(document_sha256=sha256, valid_until=utc_now() + 3 * ALL_OVER)
        )
    assert purge(used, utc_now() + ALL_OVER).documents == 0
    assert len(used.vault.names()) == 1
    assert purge(used, utc_now() + 5 * ALL_OVER).documents == 1
    assert used.vault.names() == frozenset()


def test_neither_the_database_nor_the_files_hold_anything_of_a_purged_order(
    used: Parts, request: pytest.FixtureRequest
) -> None:
    before = personal(used)
    assert len(before) > 60
    assert set(found_in(dump(used, request), before)) == before
    files = {path.read_bytes() for path in used.settings.data_dir.rglob("*.wav")}
    list(purge_ended(used.office, errand(utc_now() + ALL_OVER), days=YEAR))
    assert found_in(dump(used, request), before) == []
    left = {path.read_bytes() for path in used.settings.data_dir.rglob("*.wav")}
    assert len(left) < len(files)
    assert list(used.settings.vault_dir.iterdir()) == []


def personal(parts: Parts) -> set[bytes]:
    """Return every value that stands for a number, a name or a text: encrypted or as a keyed index."""
    named = {
        "orders": ("case_index", "case_number", "subject", "legal_basis"),
        "lines": ("line_index", "line", "evidence"),
        "notices": ("text",),
        "proposals": ("text",),
        "remarks": ("text",),
        "documents": ("file_key",),
        "disputes": ("note",),
        "plays": ("line_index", "provider_call_id", "caller_index"),
    }
    metadata = MetaData()
    metadata.reflect(parts.studio.engine)
    found: set[bytes] = set()
    with parts.studio.engine.connect() as connection:
        for name, columns in named.items():
            table = metadata.tables[name]
            for column in columns:
                assert isinstance(table.c[column].type, LargeBinary)
                found |= {bytes(value) for value in connection.execute(select(table.c[column])).scalars() if value}
    return found


def dump(parts: Parts, request: pytest.FixtureRequest) -> bytes:
    url = parts.settings.database_url
    if not url:
        return b"".join(path.read_bytes() for path in sorted(parts.settings.data_dir.glob("register.sqlite3*")))
    postgres: Postgres = request.getfixturevalue("postgres")
    return subprocess.run([postgres.programs / "pg_dump", url], check=True, capture_output=True).stdout


def found_in(text: bytes, values: set[bytes]) -> list[bytes]:
    # A value may go on in another page of the file: its beginning is enough.
    return [each for each in values if each[:16] in text or each.hex().encode() in text]


def test_what_the_worker_does_each_day_is_written_in_the_gateways_own_name(parts: Parts) -> None:
    purge_daily(parts.office, days=YEAR, now=utc_now() + ALL_OVER)
    with parts.studio.engine.connect() as connection:
        actors = connection.execute(select(trail.c.actor).where(trail.c.tag == Tag.DATA_PURGED.value)).scalars()
        assert set(actors) == {"gateway"}


def test_the_case_of_a_purged_order_may_be_brought_again(parts: Parts) -> None:
    order_id = id_of(parts, "2026-CV-0110")
    purge(parts, utc_now() + ALL_OVER)
    assert id_of(parts, "2026-CV-0110") == ""
    again = an_order(court_id="lakeside", district_id="lakeside-north", case_number="2026-CV-0110")
    with parts.studio.engine.begin() as connection:
        orders.add(connection, again, [Line(number=E164("+12025550110"))], parts.keys)
    assert id_of(parts, "2026-CV-0110") == again.order_id != order_id


LIVING = {OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE, OrderState.SUSPENDED}


def a_random_order(number: int, chance: random.Random, now: datetime) -> Order:
    """Return an order in any state whose instants lie anywhere within two years of `now`."""
    at = now + timedelta(days=chance.uniform(-700, 100))
    order = an_order(
        chance.choice(list(OrderState)),
        at=at,
        order_id=f"order-{number}",
        court_id="lakeside",
        district_id="lakeside-north",
        case_number=f"2026-R-{number}",
    )
    if chance.random() < 0.3 and order.approved_at:
        return an_order(
            order_id=order.order_id,
            court_id="lakeside",
            district_id="lakeside-north",
            case_number=order.case_number,
            at=at,
            lifted_at=at + timedelta(days=chance.uniform(-4, 400)),
        )
    return order


@pytest.mark.parametrize("seed", range(3))
def test_an_order_that_is_not_over_is_never_touched(parts: Parts, seed: int) -> None:
    now, chance = utc_now(), random.Random(seed)
    made = [a_random_order(number, chance, now) for number in range(120)]
    days = chance.randint(30, 400)
    cutoff = now - timedelta(days=days)
    with parts.studio.engine.begin() as connection:
        connection.execute(delete(lines))
        for order in made:
            orders.add(connection, order, [Line(number=E164("+12025550199"))], parts.keys)
    purge(parts, now, days=days)
    after = states(parts)
    purged = {order.order_id for order in made if after[order.order_id]}
    assert 10 < len(purged) < 110
    for order in made:
        ends = [each for each in (order.lifted_at, order.valid_until) if each is not None]
        handed_on = order.submitted_at or order.drafted_at
        over = min(ends) if ends else (None if order.approved_at else handed_on)
        assert (order.order_id in purged) == (over is not None and over <= cutoff)
        if order.state_at(now) in LIVING or order.state_at(cutoff) in LIVING:
            assert order.lifted_at is None or order.order_id not in purged or order.lifted_at <= cutoff
        if order.state_at(now) in LIVING:
            assert order.order_id not in purged
    with parts.studio.engine.connect() as connection:
        left = set(connection.execute(select(lines.c.order_id)).scalars())
    assert left == {order.order_id for order in made} - purged


def test_listing_what_would_be_purged_changes_nothing(parts: Parts) -> None:
    before = states(parts)
    assert len(list_ended(parts.office, utc_now() + ALL_OVER, YEAR)) == len(samples())
    assert states(parts) == before
