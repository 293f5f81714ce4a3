"""The ring, the key file's steps, and the watch by which workers learn of them."""

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.e164 import E164
from gateway.privacy import key_file, key_steps
from gateway.privacy.blind_index import index_secret, indexes_of_line, indexes_of_secret
from gateway.privacy.errors import KeyFileError, RotationUnderWayError, UnknownKeyError, WeakKeyError, WrongKeyError
from gateway.privacy.field import FieldCipher
from gateway.privacy.key_watch import KeyWatch
from gateway.privacy.key_words import retired_word, ring_of
from gateway.privacy.keys import from_text
from gateway.privacy.ring import KeyRing

LINE = E164("+12025550110")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "keys.json"
    key_file.load_or_make(made, may_make=lambda: True)
    return made


def silent(error: Exception) -> None:
    raise AssertionError(error)


def test_a_new_key_reads_before_it_writes_and_the_old_one_reads_until_it_is_retired(path: Path) -> None:
    old = key_file.load(path)
    key_id = key_steps.add_key(path)
    assert [each.key_id for each in key_file.load(path).known] == [old.key_id, key_id]
    assert key_steps.activate(path) == key_id
    assert [each.key_id for each in key_file.load(path).known] == [key_id, old.key_id]
    key_steps.retire(path, old.key_id)
    assert [each.key_id for each in key_file.load(path).known] == [key_id]


def test_each_step_may_be_taken_again(path: Path) -> None:
    old = key_file.load(path).key_id
    assert key_steps.add_key(path) == key_steps.add_key(path)
    assert key_steps.activate(path) == key_steps.activate(path)
    key_steps.retire(path, old)
    once = path.read_bytes()
    key_steps.retire(path, old)
    assert path.read_bytes() == once


def test_neither_the_active_key_nor_the_one_that_waits_can_be_retired(path: Path) -> None:
    active, waiting = key_file.load(path).key_id, key_steps.add_key(path)
    key_steps.retire(path, active)
    key_steps.retire(path, waiting)
    assert {each.key_id for each in key_file.load(path).known} == {active, waiting}


def test_of_a_retired_key_only_what_proves_and_recognises_is_left(path: Path) -> None:
    before = key_file.load(path)
    old, hashed = before.active, index_secret("cnk_a_b", before)
    sealed = FieldCipher(before).encrypt("Jo Bloggs", place="people.name:1")
    master = key_file.read(path).masters[old.key_id]
    key_steps.add_key(path)
    key_steps.activate(path)
    key_steps.retire(path, old.key_id)
    after = key_file.load(path)
    assert master not in path.read_text()
    assert after.audit_key(old.key_id) == old.audit
    assert hashed in indexes_of_secret("cnk_a_b", after)
    assert indexes_of_line(LINE, after) != indexes_of_line(LINE, before)
    with pytest.raises(WrongKeyError):
        FieldCipher(after).decrypt(sealed, place="people.name:1")
    with pytest.raises(UnknownKeyError):
        after.key(old.key_id)


def test_the_file_stays_closed_to_others_through_every_step(path: Path) -> None:
    old = key_file.load(path).key_id
    for step in (
        lambda: key_steps.add_key(path),
        lambda: key_steps.activate(path),
        lambda: key_steps.retire(path, old),
    ):
        step()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_two_rotations_do_not_work_on_one_file(path: Path) -> None:
    with key_steps.alone(path), pytest.raises(RotationUnderWayError), key_steps.alone(path):
        pass
    with key_steps.alone(path):
        pass


def test_a_killed_rotation_leaves_neither_a_lock_nor_a_half_written_file(path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from gateway.privacy import key_file, key_steps\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with key_steps.alone(path):\n"
        "    key_file._draft(path, key_file.read(path))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert killed.returncode == -9
    assert len(list(path.parent.glob(".keys.json.????????"))) == 1
    with key_steps.alone(path):
        assert list(path.parent.glob(".keys.json.????????")) == []


def test_the_watch_swaps_the_ring_once_for_each_change_of_the_file(path: Path) -> None:
    ring = key_file.load(path)
    watch = KeyWatch(ring, path, failed=silent)
    assert not watch.look()
    key_id = key_steps.add_key(path)
    assert watch.look()
    assert not watch.look()
    assert ring.known[1].key_id == key_id


def test_the_watch_notices_a_change_between_reading_the_ring_and_the_first_look(path: Path) -> None:
    ring = key_file.load(path)
    key_id = key_steps.add_key(path)
    assert KeyWatch(ring, path, failed=silent).look()
    assert ring.known[1].key_id == key_id


@pytest.mark.parametrize("harm", ["gone", "broken", "open to others"])
def test_a_key_file_that_cannot_be_read_leaves_the_ring_as_it_is_and_is_looked_at_again(path: Path, harm: str) -> None:
    ring, failures = key_file.load(path), list[Exception]()
    watch, held = KeyWatch(ring, path, failed=failures.append), ring.held
    copy = shutil.copy2(path, path.with_name("copy"))
    key_steps.add_key(Path(copy))
    match harm:
        case "gone":
            path.unlink()
        case "broken":
            path.write_text("{")
        case _:
            path.chmod(0o644)
    assert not watch.look()
    assert ring.held is held
    assert len(failures) == 1
    Path(copy).replace(path)
    assert watch.look()
    assert len(ring.known) == 2


def test_there_is_nothing_to_watch_where_the_keys_come_from_the_environment(path: Path) -> None:
    assert not KeyWatch(key_file.load(path), None, failed=silent).look()


def test_a_cipher_follows_the_ring_and_says_what_the_active_key_wrote(path: Path) -> None:
    ring = key_file.load(path)
    cipher = FieldCipher(ring)
    stored = cipher.encrypt("Jo Bloggs", place="people.name:1")
    assert cipher.is_active(stored)
    key_steps.add_key(path)
    key_steps.activate(path)
    ring.replace(key_file.load(path))
    assert not cipher.is_active(stored)
    assert not stored.startswith(cipher.mark)
    assert cipher.decrypt(stored, place="people.name:1") == "Jo Bloggs"
    assert cipher.encrypt("Jo Bloggs", place="people.name:1").startswith(cipher.mark)


def test_a_file_of_the_first_form_is_read_and_rotated(path: Path) -> None:
    master = key_file.new_master()
    path.write_text(f'{{"version": 1, "master_key": "{master}"}}')
    old = key_file.load(path).key_id
    assert old == from_text(master, source="test").key_id
    key_steps.add_key(path)
    key_steps.activate(path)
    assert key_file.load(path).known[1].key_id == old


def test_an_active_key_that_is_not_in_the_file_is_refused_by_name(path: Path) -> None:
    key_file.write(path, replace(key_file.read(path), active="0" * 12))
    with pytest.raises(KeyFileError, match="UnknownKeyError"):
        key_file.load(path)


def test_keys_in_the_environment_make_the_same_ring_as_in_a_file() -> None:
    new, old, oldest = key_file.new_master(), key_file.new_master(), key_file.new_master()
    retired = from_text(oldest, source="test")
    ring = ring_of(new, f"{old}, {retired_word(retired)},")
    assert [each.key_id for each in ring.known] == [from_text(each, source="test").key_id for each in (new, old)]
    assert ring.audit_key(retired.key_id) == retired.audit
    assert index_secret("x", KeyRing(retired)) in indexes_of_secret("x", ring)


def test_a_key_that_is_named_in_both_places_of_the_environment_is_on_the_ring_once() -> None:
    master = key_file.new_master()
    assert len(ring_of(master, master).known) == 1


@pytest.mark.parametrize("others", ["short", "0123:45", f"{'0' * 12}:{'0' * 64}"])
def test_other_keys_that_are_none_are_refused_by_the_variables_name(others: str) -> None:
    with pytest.raises(WeakKeyError, match="NOTICE_GATEWAY_MASTER_KEYS_PREVIOUS"):
        ring_of(key_file.new_master(), others)


def test_no_key_shows_in_a_ring_or_a_file_that_is_printed(path: Path) -> None:
    old = key_file.load(path)
    key_steps.add_key(path)
    key_steps.activate(path)
    key_steps.retire(path, old.key_id)
    content, ring = key_file.read(path), key_file.load(path)
    shown = repr(content) + repr(ring.held)
    for secret in (*content.masters.values(), *content.retired.values(), *content.retired_secrets.values()):
        assert secret not in shown
    for keys in ring.known:
        assert repr(keys.fields) not in shown


def test_the_lock_of_the_key_file_is_closed_to_others(path: Path) -> None:
    with key_steps.alone(path):
        assert stat.S_IMODE(os.stat(path.with_name(".keys.json.lock")).st_mode) == 0o600  # noqa: PTH116
