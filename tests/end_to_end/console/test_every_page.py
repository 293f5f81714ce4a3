"""Every page of the console in every state of an order: no violation of axe-core, in any language, wide or narrow."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Browser

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.console.app import PAGES
from gateway.console.languages import LANGUAGES
from gateway.domain.rights import Everywhere, Right, Role
from gateway.people import sessions
from gateway.people.api_keys import KeyDraft
from gateway.people.sessions import Method
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_api_key import issue_api_key
from gateway.workflows.load_demo import person_in_permitted_hours
from tests.api.builders import a_registry
from tests.end_to_end.call_script import Press, Script
from tests.end_to_end.console.browsing import Visitor, visiting
from tests.end_to_end.issuing import a_line
from tests.end_to_end.server import Server
from tests.workflows.importing import a_row, an_office, bring_in

# What answers with a file, a sound, a part of a page, or another page; and what only shows a secret just made.
NO_PAGES = frozenset(
    {
        "batch_progress",
        "begin_sign_in_oidc",
        "choose_language",
        "count_text",
        "download_batch_errors",
        "export_audit",
        "notice_sound",
        "proposal_sound",
        "show_api_key_token",
        "show_document",
        "show_enrolment_code",
        "show_order_document",
        "sign_in_oidc",
        "try_sound",
        "version_sound",
    }
)
# What is led to only in a state that this crawl does not make; the days of the roles and the rooms' tests go there.
ELSEWHERE = frozenset({"enrol_with_passkey", "enrol_with_password", "remove_own_passkey"})
# Pages do not differ by database; the days of the roles run on both.
ON_SQLITE = pytest.mark.parametrize("shared_server", ["sqlite"], indirect=True)


@ON_SQLITE
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_violation_or_is_wider_than_a_small_telephone(
    browser: Browser, server: Server, office: Parts, language: str
) -> None:
    with visiting(browser, server, office, *Role, scope=Everywhere(), language=language) as visitor:
        seen: dict[str, list[str]] = {}
        wide = []
        for name in _kinds(visitor, _a_scene(visitor, server, office)):
            seen[name] = visitor.violations()
            visitor.page.set_viewport_size({"width": 360, "height": 740})
            if visitor.scrolls_sideways():
                wide.append(name)
            visitor.page.set_viewport_size({"width": 1200, "height": 900})
    unseen = sorted({page.name for page in PAGES} - seen.keys() - NO_PAGES - ELSEWHERE)
    assert unseen == [], unseen
    assert [each for found in seen.values() for each in found] == []
    assert wide == []


def _a_scene(visitor: Visitor, server: Server, office: Parts) -> list[str]:
    """Make what pages are about, in each state that makes a difference, and return where to begin."""
    registry = a_registry(office)
    case = {"district": "lakeside-north", "lines": [{"number": a_line(), "evidence": "https://example.com/contact"}]}
    clerk, judge = registry.somebody(Role.CLERK), registry.somebody(Role.APPROVER)
    draft = registry.a_draft("lakeside", clerk, **case)
    submitted = registry.a_draft("lakeside", clerk, **case)
    clerk.post(f"/orders/{submitted}/submit")
    suspended = registry.an_approved_order("lakeside", **case)
    judge.post(f"/orders/{suspended}/suspend", {"reason": "A scene for a test."})
    warned = registry.an_approved_order("lakeside", **case)
    proposed = clerk.post(
        f"/orders/{warned}/proposals", {"language": "en", "text": "The court has published a judgment."}
    )
    assert proposed.status_code < 300, proposed.text
    key = KeyDraft(
        name="A program",
        rights=frozenset({Right.ORDERS_READ}),
        scope=Everywhere(),
        expires_at=utc_now() + timedelta(days=1),
    )
    issue_api_key(registry.desk.people, at_the_command_line(utc_now()), key)
    batch = bring_in(an_office(office), [a_row(case_number=f"IMPORT-{uuid4().hex[:8]}")]).batch_id
    server.twilio().call(
        Script(callee=person_in_permitted_hours(utc_now())[0], presses=(Press(party="callee", prompt=0, key="9"),))
    )
    orders = [f"/orders/{order_id}" for order_id in (draft, submitted, suspended, warned)]
    with office.studio.engine.begin() as connection:
        sessions.open_(connection, office.keys, visitor.person_id, Method.PASSWORD, utc_now())
    # Somebody else's page, whoever the crawl meets first: nobody is offered to reset their own credentials.
    objects = [
        f"/people/{clerk.person_id}",
        f"/orders/{warned}/notices/en/proposal",
        f"/batches/{batch}",
        *_a_draft_put_aside(visitor),
    ]
    return [
        "/",
        *orders,
        *objects,
        "/find",
        "/account/password",
        "/account/passkeys/add",
        "/sign-in",
        "/sign-in/passkey",
        "/enrol",
    ]


def _a_draft_put_aside(visitor: Visitor) -> list[str]:
    """Begin to draft an order, in whatever language, and return where it would go on."""
    visitor.open("/orders/new")
    visitor.page.locator("main select[name=district]").select_option(value="lakeside-north")
    visitor.page.locator("main button[type=submit]:not([aria-hidden])").first.click()
    visitor.page.wait_for_load_state("load")
    return [visitor.path, "/orders/unfinished"]


def _kinds(visitor: Visitor, beginnings: list[str]) -> Iterator[str]:
    """Open one page of each kind, breadth first, and yield its name while it is open."""
    # An address with nothing to fill in goes before one that it would fit into.
    pages = sorted(PAGES, key=lambda page: page.path.count("<"))
    rules = {page.name: _rule(page.path) for page in pages}
    waiting, opened, names = list(beginnings), set[str](), set[str]()
    while waiting:
        path = waiting.pop(0)
        name = next((name for name, rule in rules.items() if rule.fullmatch(urlsplit(path).path)), "")
        if not name or name in NO_PAGES or path in opened or (name in names and path not in beginnings):
            continue
        opened.add(path)
        names.add(name)
        visitor.open(path)
        yield name
        waiting.extend(_links(visitor))


def _links(visitor: Visitor) -> list[str]:
    hrefs: list[str] = visitor.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    prefix = f"{visitor.origin}/console"
    return [href.removeprefix(prefix).partition("#")[0] for href in hrefs if href.startswith(prefix + "/")]


def _rule(path: str) -> re.Pattern[str]:
    pieces = re.split(r"(<[^>]+>)", path)
    return re.compile("".join(_piece(piece) for piece in pieces))


def _piece(piece: str) -> str:
    if piece.startswith("<path:"):
        return ".+"
    return "[^/]+" if piece.startswith("<") else re.escape(piece)
