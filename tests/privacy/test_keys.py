import base64
import stat
import threading
from pathlib import Path

import pytest

from gateway.privacy.errors import KeyFileError, WeakKeyError
from gateway.privacy.key_file import load, load_or_make
from gateway.privacy.keys import derive, from_text
from gateway.privacy.ring import KeyRing


def test_a_new_key_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys.json"
    load_or_make(path, may_make=lambda: True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_is_made_once_and_then_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made, read = load_or_make(path, may_make=lambda: True), load_or_make(path, may_make=lambda: False)
    assert made.held == read.held


def test_a_missing_key_file_is_not_replaced_where_data_needs_the_old_one(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="missing"):
        load_or_make(tmp_path / "keys.json", may_make=lambda: False)
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_at_once_end_up_with_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    found: list[KeyRing] = []
    threads = [
        threading.Thread(target=lambda: found.append(load_or_make(path, may_make=lambda: True))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({keys.key_id for keys in found}) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    load_or_make(path, may_make=lambda: True)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"master_key": 7}', '{"master_key": "c2hvcnQ="}', "\u00e9"])
def test_a_broken_key_file_is_refused_with_its_path(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        load(path)


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(b"short").decode(), "A" * 43 + "="])
def test_a_weak_master_key_is_refused(text: str) -> None:
    with pytest.raises(WeakKeyError, match="MASTER"):
        from_text(text, source="NOTICE_GATEWAY_MASTER_KEY")


def test_every_use_has_a_key_of_its_own() -> None:
    keys = derive(bytes(range(32)))
    assert len({keys.line_index, keys.case_index, keys.call_index, keys.fields, keys.tokens}) == 5


def test_keys_do_not_show_in_a_representation() -> None:
    keys = derive(bytes(range(32)))
    assert repr(keys) == f"Keys(key_id={keys.key_id!r})"
