"""Checkpoints: what was signed and kept elsewhere cannot be taken back."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from gateway.assembly import Parts
from gateway.audit.checkpoint import CheckpointError, keep, public_key_of, read, read_file, sign
from gateway.audit.daybook import evidence_digest, past_days
from gateway.audit.evidence import Play, note_disposition, note_key, record
from gateway.audit.faults import Fault, Flaw, Report
from gateway.audit.reading import TrailQuery, entries
from gateway.audit.tags import Tag
from gateway.audit.trail import Entry, append
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.notice import Purpose
from gateway.domain.rights import COMMAND_LINE, GATEWAY, Right
from gateway.domain.standing import UnderOrders
from gateway.privacy.blind_index import indexes_of_call, indexes_of_line
from gateway.privacy.keys import derive
from gateway.privacy.ring import KeyRing
from gateway.register.lookup import Lookup
from gateway.workflows.change import Errand
from gateway.workflows.checkpoint_audit import Ledger, Made, checkpoint_of_the_day, checkpoint_to
from gateway.workflows.verify_audit import Proofs, verify_audit
from tests.audit.test_guards import GUARDS
from tests.audit.trails import NEXT_KEYS, an_entry
from tests.builders import NOW, a_rendition

LINE = E164("+442079460110")
DAY = timedelta(days=1)


@pytest.fixture
def ledger(parts: Parts, tmp_path: Path) -> Ledger:
    with parts.studio.engine.begin() as connection:
        for number in range(5):
            append(connection, parts.keys, an_entry(number))
    folder = tmp_path / "checkpoints"
    return Ledger(office=parts.studio.engine, reading=parts.reading, keys=parts.keys, folder=folder)


def on(day: datetime) -> Errand:
    return Errand(actor=GATEWAY, at=day)


def report_on(ledger: Ledger, *files: Path, public_keys: tuple[str, ...] = ()) -> Report:
    return verify_audit(ledger.reading, ledger.keys, Proofs(folder=ledger.folder, files=files, public_keys=public_keys))


def faults_in(ledger: Ledger, *files: Path, public_keys: tuple[str, ...] = ()) -> list[Flaw]:
    return [fault.flaw for fault in report_on(ledger, *files, public_keys=public_keys).faults]


def behind_the_gateways_back(ledger: Ledger, *lines: str) -> None:
    with ledger.office.begin() as connection:
        for line in (*GUARDS[connection.dialect.name], *lines):
            connection.execute(text(line))


def test_a_day_has_one_checkpoint_and_one_entry_that_tells_of_it(ledger: Ledger) -> None:
    made = checkpoint_of_the_day(ledger, on(NOW))
    again = checkpoint_of_the_day(ledger, on(NOW + timedelta(hours=3)))
    assert (made.is_new, again.is_new) == (True, False)
    assert again.checkpoint == made.checkpoint
    assert [path.name for path in ledger.folder.iterdir()] == ["2026-03-04.json"]
    assert checkpoint_of_the_day(ledger, on(NOW + DAY)).is_new
    with ledger.reading.connect() as connection:
        reach = COMMAND_LINE.reach(Right.AUDIT_READ)
        found = entries(connection, TrailQuery(reach=reach, tag=Tag.CHECKPOINT))
    assert [each.subject_id for each in found] == ["checkpoint_2026-03-05", "checkpoint_2026-03-04"]
    assert found[1].details["public_key"] == made.checkpoint.public_key
    assert report_on(ledger).is_sound
    assert report_on(ledger).checkpoints == 2


def test_of_many_processes_at_once_one_makes_the_checkpoint(ledger: Ledger) -> None:
    found: list[Made] = []
    start = Barrier(4)

    def make() -> None:
        start.wait()
        found.append(checkpoint_of_the_day(ledger, on(NOW)))

    threads = [Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.is_new for each in found) == [False, False, False, True]
    assert len({each.checkpoint.text for each in found}) == 1
    assert report_on(ledger).is_sound


def test_anybody_can_check_a_checkpoint_with_its_public_key_and_a_library(ledger: Ledger) -> None:
    document = json.loads(checkpoint_of_the_day(ledger, on(NOW)).path.read_text())
    signature = bytes.fromhex(document.pop("signature"))
    signed = "court-notice-gateway/checkpoint/1\n" + json.dumps(document, sort_keys=True, separators=(",", ":"))
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(document["public_key"])).verify(signature, signed.encode())
    assert document["count"] == document["seq"]


def test_an_end_that_was_cut_off_with_its_head_shows_against_a_checkpoint(ledger: Ledger) -> None:
    seq = checkpoint_of_the_day(ledger, on(NOW)).checkpoint.statement.seq
    rewind = f"UPDATE audit_head SET seq = {seq - 2}, seal = (SELECT seal FROM audit_trail WHERE seq = {seq - 2})"  # noqa: S608
    behind_the_gateways_back(ledger, f"DELETE FROM audit_trail WHERE seq > {seq - 2}", rewind)  # noqa: S608
    (fault,) = report_on(ledger).faults
    assert (fault.flaw, fault.first, fault.last) == (Flaw.CUT_OFF, seq - 1, seq)


def test_a_trail_that_was_written_anew_with_the_keys_shows_against_a_checkpoint(ledger: Ledger) -> None:
    seq = checkpoint_of_the_day(ledger, on(NOW)).checkpoint.statement.seq
    rewind = f"UPDATE audit_head SET seq = {seq - 1}, seal = (SELECT seal FROM audit_trail WHERE seq = {seq - 1})"  # noqa: S608
    behind_the_gateways_back(ledger, f"DELETE FROM audit_trail WHERE seq > {seq - 1}", rewind)  # noqa: S608
    with ledger.office.begin() as connection:
        for number in (70, 71):
            append(connection, ledger.keys, an_entry(number))
    (fault,) = report_on(ledger).faults
    assert (fault.flaw, fault.first) == (Flaw.CHECKPOINT, seq)


def test_a_checkpoint_is_never_written_over(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        checkpoint_to(ledger, path, on(NOW))
    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    with ledger.reading.connect() as connection:
        reach = COMMAND_LINE.reach(Right.AUDIT_READ)
        assert entries(connection, TrailQuery(reach=reach, tag=Tag.CHECKPOINT)) == ()


@pytest.mark.parametrize("field", ["seq", "count", "at", "evidence", "key_id", "public_key", "signature"])
def test_a_changed_checkpoint_proves_nothing_and_says_so(ledger: Ledger, tmp_path: Path, field: str) -> None:
    path = tmp_path / "kept.json"
    document = json.loads(checkpoint_to(ledger, path, on(NOW)).checkpoint.text)
    changed = {
        "seq": 2,
        "count": 99,
        "at": "2026-03-01T00:00:00+00:00",
        "evidence": [{"day": "2026-03-01", "plays": 1, "seals": "", "outcomes": None}],
        "key_id": "0" * 12,
        "public_key": "00" * 32,
        "signature": "00" * 64,
    }
    path.write_text(json.dumps({**document, field: changed[field]}))
    faults = report_on(ledger, path).faults
    assert [fault.flaw for fault in faults] == [Flaw.CHECKPOINT]
    assert "signature" in faults[0].words


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"form": 2}', '{"form": 1}', "\xff"])
def test_a_file_that_is_no_checkpoint_is_a_fault_with_its_name(ledger: Ledger, tmp_path: Path, content: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(content, encoding="latin-1")
    (fault,) = report_on(ledger, path).faults
    assert "kept.json is not a checkpoint" in fault.words
    with pytest.raises(CheckpointError):
        read_file(path)


def test_a_checkpoint_signed_with_a_strangers_key_counts_only_for_who_vouches_for_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    strangers = derive(b"a key that never was on the ring")
    ours = checkpoint_to(ledger, tmp_path / "ours.json", on(NOW)).checkpoint
    path = tmp_path / "theirs.json"
    keep(sign(ours.statement, strangers, source=path.name), path)
    (fault,) = report_on(ledger, path).faults
    assert fault.flaw is Flaw.CHECKPOINT
    assert public_key_of(strangers) in fault.words
    assert faults_in(ledger, path, public_keys=(public_key_of(strangers),)) == []


def test_a_checkpoint_of_before_the_keys_were_changed_is_vouched_for_by_the_trail(ledger: Ledger) -> None:
    old = ledger.keys.active
    checkpoint_of_the_day(ledger, on(NOW))
    without_old = KeyRing(NEXT_KEYS, retired={old.key_id: old.audit})
    later = replace(ledger, keys=without_old)
    assert report_on(later).is_sound
    assert checkpoint_of_the_day(later, on(NOW + DAY)).is_new
    assert report_on(later).is_sound


def test_a_key_that_only_a_changed_row_vouches_for_is_not_trusted(ledger: Ledger, tmp_path: Path) -> None:
    strangers = derive(b"a key that never was on the ring")
    with ledger.office.begin() as connection:
        details = {"public_key": public_key_of(strangers)}
        noted = Entry(at=NOW, actor=GATEWAY, tag=Tag.CHECKPOINT, subject_id="x", details=details)
        append(connection, KeyRing(strangers), noted)
    statement = checkpoint_to(ledger, tmp_path / "ours.json", on(NOW)).checkpoint.statement
    path = tmp_path / "theirs.json"
    keep(sign(statement, strangers, source=path.name), path)
    assert faults_in(ledger, path) == [Flaw.UNKNOWN_KEY, Flaw.CHECKPOINT]


# The evidence of plays.


Played = Callable[[str, datetime], Play]


@pytest.fixture
def played(parts: Parts) -> Iterator[Played]:
    """Records a play of a public notice in a call, at a time."""
    with parts.calls.connect() as connection:
        standing = Lookup(parts.keys).standing_of(connection, LINE)
        assert isinstance(standing, UnderOrders)
        order = standing.orders[0].order

        def play(call: str, at: datetime) -> Play:
            made = Play(
                call_indexes=indexes_of_call("twilio", call, parts.keys),
                line_indexes=indexes_of_line(LINE, parts.keys),
                order_id=order.order_id,
                subject=order.subject,
                purpose=Purpose.PUBLIC,
                renditions=(a_rendition(),),
                at=at,
                ordinal=None,
                provider="twilio",
                provider_call_id=call,
                caller_index=None,
            )
            assert record(connection, made, parts.keys)
            return made

        yield play


def only(faults: tuple[Fault, ...]) -> Fault:
    (fault,) = faults
    return fault


@pytest.mark.parametrize(
    "line",
    [
        "UPDATE plays SET files = 'other'",
        "UPDATE plays SET played_at = played_at - 1",
        "UPDATE plays SET purpose = 'warning', leg = 'B'",
        "UPDATE plays SET provider = 'other'",
        (
            "UPDATE plays SET order_id = (SELECT min(o.order_id) FROM orders o"
            " WHERE o.subject_kind = plays.subject_kind AND o.order_id <> plays.order_id)"
        ),
        "UPDATE plays SET seal = NULL",
    ],
)
def test_a_play_that_was_changed_is_named(parts: Parts, ledger: Ledger, played: Played, line: str) -> None:
    played("CA1", utc_now())
    assert report_on(ledger).plays == 1
    assert report_on(ledger).is_sound
    with parts.studio.engine.begin() as connection:
        connection.execute(text(line))
        play_id = connection.execute(text("SELECT play_id FROM plays")).scalar_one()
    fault = only(report_on(ledger).faults)
    assert (fault.flaw, fault.subject) == (Flaw.PLAY_CHANGED, play_id)


def test_plays_of_before_the_trail_have_no_seal_and_are_counted(parts: Parts, ledger: Ledger, played: Played) -> None:
    played("CA1", NOW - 900 * DAY)
    with parts.studio.engine.begin() as connection:
        connection.execute(text("UPDATE plays SET seal = NULL"))
    assert report_on(ledger).is_sound
    assert report_on(ledger).unsealed == 1


def test_a_play_that_is_removed_after_its_day_is_missed(parts: Parts, ledger: Ledger, played: Played) -> None:
    for number in range(3):
        played(f"CA{number}", NOW + timedelta(minutes=number))
    played("CA9", NOW + DAY)
    checkpoint_of_the_day(ledger, on(NOW + DAY))
    assert report_on(ledger).is_sound
    with parts.studio.engine.begin() as connection:
        first = "SELECT min(played_at) FROM plays"
        connection.execute(text(f"DELETE FROM plays WHERE played_at = ({first})"))  # noqa: S608
    fault = only(report_on(ledger).faults)
    assert (fault.flaw, fault.subject) == (Flaw.PLAYS_DIFFER, "2026-03-04")
    assert "has seen 3 plays on 2026-03-04; there are 2" in fault.words


def test_all_plays_of_a_day_removed_are_missed_too(parts: Parts, ledger: Ledger, played: Played) -> None:
    played("CA1", NOW)
    checkpoint_of_the_day(ledger, on(NOW + DAY))
    with parts.studio.engine.begin() as connection:
        connection.execute(text("DELETE FROM plays"))
    assert "has seen 1 plays on 2026-03-04; there are 0" in only(report_on(ledger).faults).words


def test_keys_and_endings_may_come_in_until_the_next_day_is_over_and_not_later(
    parts: Parts, ledger: Ledger, played: Played
) -> None:
    play = played("CA1", NOW)
    checkpoint_of_the_day(ledger, on(NOW + DAY))
    with parts.calls.connect() as connection:
        note_key(connection, play.call_indexes, Purpose.PUBLIC, "1", NOW + DAY)
    assert report_on(ledger).is_sound
    checkpoint_of_the_day(ledger, on(NOW + 2 * DAY))
    assert report_on(ledger).is_sound
    with parts.calls.connect() as connection:
        note_disposition(connection, play.call_indexes, "completed")
    fault = only(report_on(ledger).faults)
    assert (fault.flaw, fault.subject) == (Flaw.PLAYS_DIFFER, "2026-03-04")
    assert "keys or endings" in fault.words


def test_days_that_had_no_checkpoint_are_stated_by_the_next_one(ledger: Ledger, played: Played) -> None:
    for number in range(5):
        played(f"CA{number}", NOW + number * DAY)
    first = checkpoint_of_the_day(ledger, on(NOW + DAY)).checkpoint.statement
    second = checkpoint_of_the_day(ledger, on(NOW + 4 * DAY)).checkpoint.statement
    assert [(each.day.day, each.outcomes is None) for each in first.evidence] == [(4, True)]
    assert [(each.day.day, each.outcomes is None) for each in second.evidence] == [
        (4, False),
        (5, False),
        (6, False),
        (7, True),
    ]


def test_the_digest_of_a_day_is_of_that_day_in_utc_alone(ledger: Ledger, played: Played) -> None:
    midnight = NOW.replace(hour=0) + DAY
    for number, at in enumerate((midnight - timedelta(microseconds=1), midnight, midnight + DAY)):
        played(f"CA{number}", at)
    with ledger.reading.connect() as connection:
        days = {each.day.day: each.plays for each in past_days(connection, None, NOW + 9 * DAY)}
        assert days == {4: 1, 5: 1, 6: 1}
        assert evidence_digest(connection, midnight.date()).plays == 1
        assert evidence_digest(connection, (NOW - DAY).date()).plays == 0


def test_a_purge_leaves_the_evidence_sound(parts: Parts, ledger: Ledger, played: Played) -> None:
    played("CA1", NOW)
    checkpoint_of_the_day(ledger, on(NOW + DAY))
    with parts.studio.engine.begin() as connection:
        connection.execute(text("UPDATE plays SET provider_call_id = NULL, caller_index = NULL"))
    assert report_on(ledger).is_sound


def test_a_checkpoint_reads_back_as_it_was_written(ledger: Ledger, played: Played) -> None:
    played("CA1", NOW)
    made = checkpoint_of_the_day(ledger, on(NOW + DAY))
    assert read(made.path.read_text(), source=made.path.name) == made.checkpoint
