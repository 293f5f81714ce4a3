"""People at browsers: signed in to a running gateway, each in a context of their own, watched for errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, ConsoleMessage, Page

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.rights import InCourt, Role, Scope
from gateway.people import sessions
from gateway.people.roles import RoleHeld
from gateway.people.sessions import Method
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change import at_the_command_line
from tests.end_to_end.server import Server

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that needs no hardware and no consent: it beeps.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
AXE = Path(__file__).resolve().parents[3] / ".tools" / "assets" / "axe.min.js"
LAKESIDE = InCourt(court_id="lakeside")
# A page that was refused, or is not there, is said by the browser too.
_EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|404|409|422)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody at a browser; `troubles` are what the browser complained of."""

    page: Page
    origin: str
    person_id: str
    troubles: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page below /console."""
        answer = self.page.goto(f"{self.origin}/console{path}", wait_until="load")
        assert answer is not None
        assert answer.status < 500, f"{path}: {answer.status}"

    def press(self, name: str) -> None:
        """Press a button by the name that it is announced with, and wait for the page that it leads to."""
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state("load")

    def follow(self, name: str) -> None:
        """Follow the first link in the page's main part that says this; some call themselves buttons."""
        self.page.locator("main a[href]", has_text=name).first.click()
        self.page.wait_for_load_state("load")

    def fill(self, label: str, text: str) -> None:
        """Type into the field of this label."""
        self.page.get_by_label(label, exact=True).fill(text)

    def sees(self, text: str) -> bool:
        """Tell whether the page's main part says this."""
        return text in self.said

    @property
    def said(self) -> str:
        """Return what the page's main part says, its white space folded."""
        return re.sub(r"\s+", " ", self.page.locator("main").inner_text())

    @property
    def path(self) -> str:
        """Return where the visitor is, below /console."""
        return self.page.url.removeprefix(f"{self.origin}/console")

    def violations(self) -> list[str]:
        """Return what axe-core finds wrong with the page as it is."""
        if not self.page.evaluate("typeof axe !== 'undefined'"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        # It would describe each element that keeps a rule too, which is most of a page.
        found = self.page.evaluate("axe.run({resultTypes: ['violations']}).then(found => found.violations)")
        return [f"{self.path}: {each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]

    def scrolls_sideways(self) -> bool:
        """Tell whether the page is wider than its window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@contextmanager
def visiting(
    browser: Browser,
    server: Server,
    office: Parts,
    *roles: Role,
    scope: Scope = LAKESIDE,
    language: str = "en",
    width: int = 1200,
) -> Iterator[Visitor]:
    """Return somebody new with roles in a place, signed in at a browser where nothing may go wrong."""
    person_id, token = signed_in(office, *roles, scope=scope)
    context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
    context.set_default_timeout(15_000)
    context.add_cookies(
        [
            {"name": "session", "value": token, "url": server.origin},
            {"name": "language", "value": language, "url": f"{server.origin}/console"},
        ]
    )
    visitor = Visitor(page=context.new_page(), origin=server.origin, person_id=person_id)
    _watch(visitor)
    yield visitor
    context.close()
    assert not visitor.troubles


def signed_in(office: Parts, *roles: Role, scope: Scope = LAKESIDE) -> tuple[str, str]:
    """Add somebody with roles in a place, open a session, and return their id and its token."""
    now = utc_now()
    held = tuple(RoleHeld(role=role, scope=scope) for role in roles)
    draft = PersonDraft(login=f"{uuid4().hex}@example.org", name="Robin Example", roles=held)
    person_id = add_person(office.people_desk(), at_the_command_line(now), draft).person.person_id
    with office.office.engine.begin() as connection:
        token = sessions.open_(connection, office.keys, person_id, Method.PASSWORD, now).token
    return person_id, token


def _watch(visitor: Visitor) -> None:
    """Note what the browser's own console complains of, such as a script that the policy forbids."""

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and _EXPECTED.match(message.text) is None:
            visitor.troubles.append(f"{visitor.page.url}: {message.text}")

    visitor.page.on("console", note)
    visitor.page.on("pageerror", lambda error: visitor.troubles.append(f"{visitor.page.url}: {error}"))
