"""Pictures of the console's main pages, taken from a running demo; the README shows them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from gateway.assembly import Parts, put_together
from gateway.clock import utc_now
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Right
from gateway.domain.subject import Organisation
from gateway.people import directory, sessions
from gateway.people.sessions import Method
from gateway.register.order_list import OrderQuery
from gateway.workflows.change import at_the_command_line
from gateway.workflows.load_demo import person_in_permitted_hours
from gateway.workflows.read_orders import list_orders
from tests.end_to_end.console.browsing import CHROMIUM, FLAGS
from tests.end_to_end.server import Server, environment, run, serving

# File, who looks, language, address; {order} is an order in force, {draft} one that waits for its second officer.
_PICTURES = (
    ("home", "judge", "en", "/"),
    ("orders", "clerk", "en", "/orders"),
    ("order", "clerk", "en", "/orders/{order}"),
    ("notices", "clerk", "en", "/orders/{order}/notices"),
    ("try-a-call", "clerk", "en", "/try"),
    ("districts", "operator", "en", "/districts"),
    ("audit", "auditor", "en", "/audit"),
    ("home-zh", "judge", "zh", "/"),
)
_SIZE = (1200, 900)


def take_pictures(scratch: Path, target: Path) -> Iterator[Path]:
    """Load the demo below `scratch`, serve it, and write one PNG a page into `target`."""
    target.mkdir(parents=True, exist_ok=True)
    folder = scratch / "data"
    loaded = run(environment(scratch, data_dir=folder), "demo", seconds=300)
    if loaded.returncode != 0:
        raise RuntimeError(loaded.stderr)
    with serving(folder, scratch / "home") as server, _office(server) as office, _chromium() as browser:
        order_id = _order_in_force(office)
        _make_calls(server)
        for name, login, language, path in _PICTURES:
            file = target / f"{name}.png"
            with _looking(browser, server, _token(office, login), language) as page:
                _take(page, f"{server.origin}/console{path.format(order=order_id)}", file)
            yield file


def _make_calls(server: Server) -> None:
    """Let some calls come in, one of them to a wrong person, so that the pages have something to show."""
    person, _city = person_in_permitted_hours(utc_now())
    for line in ("+12025550110", "+442079460110", "+12025550199", "+12025550198", "+12025550111"):
        run(server.env, "call", line)
    run(server.env, "call", person, "--key", "9@4")
    # Counts are written every ten seconds.
    time.sleep(12)


@contextmanager
def _looking(browser: Browser, server: Server, token: str, language: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": _SIZE[0], "height": _SIZE[1]})
    context.add_cookies(
        [
            {"name": "session", "value": token, "url": server.origin},
            {"name": "language", "value": language, "url": f"{server.origin}/console"},
        ]
    )
    yield context.new_page()
    context.close()


def _take(page: Page, url: str, file: Path) -> None:
    page.goto(url, wait_until="load")
    if url.endswith("/try"):
        _try_a_call(page)
    page.screenshot(path=file, clip={"x": 0, "y": 0, "width": _SIZE[0], "height": _height(page)}, full_page=True)


def _height(page: Page) -> int:
    return min(int(page.evaluate("document.documentElement.scrollHeight")), 1400)


def _try_a_call(page: Page) -> None:
    """Let the picture show what came of a call."""
    page.get_by_label("Line that is called", exact=True).fill("+12025550110")
    page.get_by_role("button", name="Try this call").click()
    page.wait_for_load_state("load")


def _token(office: Parts, login: str) -> str:
    with office.office.engine.begin() as connection:
        person_id = directory.id_of_login(connection, office.keys, login)
        return sessions.open_(connection, office.keys, person_id, Method.PASSWORD, utc_now()).token


def _order_in_force(office: Parts) -> str:
    errand = at_the_command_line(utc_now())
    query = OrderQuery(reach=errand.actor.reach(Right.ORDERS_READ), state=OrderState.IN_FORCE, court_id="thameside")
    found = list_orders(office.office, query, errand)
    return next(
        each.order.order_id
        for each in found
        if isinstance(each.order, Order) and isinstance(each.order.subject, Organisation)
    )


@contextmanager
def _office(server: Server) -> Iterator[Parts]:
    opened = put_together(server.settings)
    yield opened
    opened.close()


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()
