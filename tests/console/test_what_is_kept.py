"""What a process keeps between two pages (texts, menus, statements) is nobody's: no page depends on who came before."""

import gc
import re
from dataclasses import replace
from functools import _lru_cache_wrapper
from http import HTTPStatus
from itertools import product

from gateway.console.app import make_console
from gateway.domain.rights import InCourt, InDistrict, Role
from tests.console.scene import COMPILED, Console, Reader

_PATHS = ("/", "/orders", "/orders?state=submitted", "/districts", "/disputes", "/batches", "/audit", "/people")
_MARK = re.compile(r'(name="(?:csrf_token|once)"[^>]* value=")[^"]*')
_LANGUAGES = ("en", "zh")


def empty_everything_kept() -> None:
    for each in gc.get_objects():
        if isinstance(each, _lru_cache_wrapper) and str(each.__module__).startswith("gateway."):
            each.cache_clear()


def people_of(console: Console) -> dict[str, Reader]:
    district = InDistrict(court_id="lakeside", district_id="lakeside-north")
    return {
        "auditor of Lakeside": console.somebody(Role.AUDITOR, Role.CLERK),
        "auditor of Thameside": console.somebody(Role.AUDITOR, scope=InCourt(court_id="thameside")),
        "approver of a district": console.somebody(Role.APPROVER, scope=district),
        "operator": console.somebody(Role.OPERATOR),
        "administrator": console.somebody(Role.ADMINISTRATOR, scope=None),
        "nobody yet": console.somebody(),
    }


def page_of(reader: Reader, path: str, language: str) -> str:
    reader.client.set_cookie("language", language, path="/console")
    page = reader.get(path)
    assert page.status_code in {HTTPStatus.OK, HTTPStatus.FORBIDDEN}, (path, page.status_code)
    return _MARK.sub(r"\1", page.text)


def test_a_page_is_the_same_whoever_came_before(sqlite_console: Console) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    people = people_of(sqlite_console)
    for who, reader in people.items():
        empty_everything_kept()
        fresh = replace(sqlite_console, app=make_console(sqlite_console.desk, compiled=COMPILED))
        alone = fresh.with_session(reader.person_id, reader.token)
        for path, language in product(_PATHS, _LANGUAGES):
            seen[who, path, language] = page_of(alone, path, language)
    shared = replace(sqlite_console, app=make_console(sqlite_console.desk, compiled=COMPILED))
    readers = {who: shared.with_session(each.person_id, each.token) for who, each in people.items()}
    for _ in range(2):
        for path, language, who in product(_PATHS, _LANGUAGES, readers):
            assert page_of(readers[who], path, language) == seen[who, path, language], (who, path, language)
    lists = {who: page for (who, path, language), page in seen.items() if (path, language) == ("/orders", "en")}
    assert len({*lists.values()}) == len(people), "each has a page of their own: other orders, another menu"
