import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway.db.engine import DatabaseUrlError, open_for_calls, open_for_office


def a_database(path: Path, word: str) -> str:
    url = f"sqlite:///{path}"
    engine = open_for_office(url, may_create=lambda: True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE words (word TEXT)"))
        connection.execute(text("INSERT INTO words VALUES (:word)"), {"word": word})
    engine.dispose()
    return url


def test_a_call_never_creates_a_database(tmp_path: Path) -> None:
    engine = open_for_calls(f"sqlite:///{tmp_path / 'absent.sqlite3'}")
    with pytest.raises(OperationalError):
        engine.connect()
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_moved_away_is_gone_and_is_back_when_it_is(tmp_path: Path) -> None:
    path, away = tmp_path / "register.sqlite3", tmp_path / "away.sqlite3"
    engine = open_for_calls(a_database(path, "first"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT word FROM words")) == "first"
    path.rename(away)
    with pytest.raises(SQLAlchemyError):
        engine.connect()
    away.rename(path)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT word FROM words")) == "first"
    engine.dispose()


def test_a_database_that_was_replaced_is_read_anew_and_not_through_the_old_descriptor(tmp_path: Path) -> None:
    path, other = tmp_path / "register.sqlite3", tmp_path / "other.sqlite3"
    engine = open_for_calls(a_database(path, "first"))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    a_database(other, "second")
    path.unlink()
    shutil.move(other, path)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT word FROM words")) == "second"
    engine.dispose()


def test_the_office_waits_for_its_turn_and_is_durable(tmp_path: Path) -> None:
    url = a_database(tmp_path / "register.sqlite3", "first")
    office = open_for_office(url)
    with office.connect() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    office.dispose()


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_a_database_that_workers_cannot_share_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlError, match="DATABASE_URL"):
        open_for_calls(url)


def test_a_path_with_odd_characters_is_opened_as_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "a b#c?d%20e"
    folder.mkdir()
    url = f"sqlite:///{folder / 'register.sqlite3'}".replace("%", "%25").replace("?", "%3F")
    engine = open_for_office(url, may_create=lambda: True)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
