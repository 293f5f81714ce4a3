"""Pages ask the database as often for a hundred orders as for ten: nothing is asked row by row."""

import pytest
from sqlalchemy import event

from gateway.domain.rights import Everywhere, Role
from tests.console.scene import Console, Reader

_PAGES = ("/", "/orders", "/districts", "/disputes", "/batches", "/audit")


@pytest.mark.parametrize("path", _PAGES)
def test_a_page_asks_no_more_often_when_there_is_more_to_show(sqlite_console: Console, path: str) -> None:
    reader = sqlite_console.somebody(*Role, scope=Everywhere())
    few = _statements(sqlite_console, reader, path)
    for _ in range(4):
        sqlite_console.registry.a_draft("lakeside", district="lakeside-north")
    assert _statements(sqlite_console, reader, path) <= few


def _statements(console: Console, reader: Reader, path: str) -> int:
    found: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        found.append(text)

    reading = console.desk.office.reading
    event.listen(reading, "before_cursor_execute", note)
    assert reader.get(path).status_code == 200
    event.remove(reading, "before_cursor_execute", note)
    return len(found)
