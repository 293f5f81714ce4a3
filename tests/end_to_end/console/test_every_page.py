"""Every page that can be reached by links: no violation of axe-core, in either language, wide and narrow."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from gateway.assembly import Parts
from gateway.console.app import PAGES
from gateway.console.languages import LANGUAGES
from gateway.domain.rights import Role
from tests.end_to_end.console.browsing import Visitor, visiting
from tests.end_to_end.server import Server

# What answers with a file or a sound, changes the language, or needs an object that a link cannot make.
NO_PAGE = re.compile(r"/console/(language|static)/|\.(wav|pdf|csv|xlsx)$|/download|/document|/sound|/errors|/sign-out")
_OF_EACH_KIND = 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_violation(browser: Browser, server: Server, office: Parts, language: str) -> None:
    with visiting(browser, server, office, *Role, language=language) as visitor:
        seen = _walk(visitor)
    assert len(seen) >= 10
    assert [each for found in seen.values() for each in found] == []


def test_no_page_is_wider_than_a_small_telephone(browser: Browser, server: Server, office: Parts) -> None:
    with visiting(browser, server, office, *Role, width=360) as visitor:
        wide = [path for path in _kinds(visitor) if visitor.scrolls_sideways()]
    assert wide == []


def _walk(visitor: Visitor) -> dict[str, list[str]]:
    """Return what axe finds on one page of each kind."""
    return {path: visitor.violations() for path in _kinds(visitor)}


def _kinds(visitor: Visitor) -> Iterator[str]:
    """Open one page of each kind, breadth first from home, and yield its path while it is open."""
    rules = {page.name: _rule(page.path) for page in PAGES}
    waiting, opened, counts = ["/"], set[str](), dict.fromkeys(rules, 0)
    while waiting:
        path = waiting.pop(0)
        name = next((name for name, rule in rules.items() if rule.fullmatch(urlsplit(path).path)), "")
        if path in opened or counts.get(name, _OF_EACH_KIND) >= _OF_EACH_KIND:
            continue
        opened.add(path)
        counts[name] += 1
        visitor.open(path)
        yield path
        waiting.extend(_links(visitor))


def _links(visitor: Visitor) -> list[str]:
    hrefs: list[str] = visitor.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    prefix = f"{visitor.origin}/console"
    local = [href for href in hrefs if href.startswith(prefix + "/") and not NO_PAGE.search(href)]
    return [href.removeprefix(prefix).partition("#")[0] for href in local]


def _rule(path: str) -> re.Pattern[str]:
    pieces = re.split(r"(<[^>]+>)", path)
    return re.compile("".join("[^/]+" if piece.startswith("<") else re.escape(piece) for piece in pieces))
