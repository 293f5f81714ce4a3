"""Screens in tests: `a_screen(parts)`, `put_in_force(parts, number)`, `a_keeper(screen, parts)`, `until(...)`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection

from gateway.assembly import Parts
from gateway.domain.e164 import E164
from gateway.domain.order import Order, OrderState
from gateway.privacy.blind_index import index_line
from gateway.privacy.field import FieldCipher
from gateway.register import installation, lines, orders
from gateway.register.ids import new_id
from gateway.register.lines import Line
from gateway.register.screen import Screen
from gateway.register.screen_keeper import ScreenKeeper
from gateway.register.screen_shelf import Shelf
from gateway.register.tables import lines as lines_table
from gateway.register.tables import orders as orders_table
from tests.builders import an_order

BOUND_SECONDS = 2.0
KNOWN, STRANGER, NEW = E164("+12025550110"), E164("+12025550199"), E164("+12025550161")


def a_screen(parts: Parts) -> Screen:
    """Return a screen that was read just now."""
    screen = Screen(parts.keys)
    refresh(screen, parts)
    return screen


def refresh(screen: Screen, parts: Parts) -> None:
    with parts.screens.connect() as connection:
        screen.refresh(connection)


def write_order(connection: Connection, parts: Parts, order: Order, *numbers: E164) -> None:
    """Write the rows of an order and tell no screen of them, yet."""
    connection.execute(orders_table.insert().values(**orders.row_of(order, FieldCipher(parts.keys), parts.keys)))
    lines.add(connection, order.order_id, [Line(number=each) for each in numbers], parts.keys)


def put_in_force(parts: Parts, *numbers: E164, state: OrderState = OrderState.IN_FORCE) -> str:
    """Commit an order on lines, and return its id."""
    with parts.studio.engine.begin() as connection:
        return add_order(connection, parts, *numbers, state=state)


def add_order(connection: Connection, parts: Parts, *numbers: E164, state: OrderState = OrderState.IN_FORCE) -> str:
    order = an_order_of_lakeside(state)
    orders.add(connection, order, [Line(number=each) for each in numbers], parts.keys)
    return order.order_id


def take_out(parts: Parts, *numbers: E164) -> None:
    """Take lines out of their orders, as an officer or the purge does."""
    with parts.studio.engine.begin() as connection:
        indexes = [index_line(each, parts.keys) for each in numbers]
        for line_id in connection.execute(
            lines_table.select().with_only_columns(lines_table.c.line_id).where(lines_table.c.line_index.in_(indexes))
        ).scalars():
            lines.remove(connection, line_id)
        installation.announce_removed(connection)


def an_order_of_lakeside(state: OrderState = OrderState.IN_FORCE) -> Order:
    name = new_id("ord")
    return replace(an_order(state), order_id=name, court_id="lakeside", district_id="lakeside", case_number=name)


def a_shelf(parts: Parts) -> Shelf:
    return Shelf(parts.settings.screen_dir, parts.screens, parts.keys)


@contextmanager
def kept(
    parts: Parts,
    *,
    screen: Screen | None = None,
    every: float = 0.05,
    few: int = 100_000,
    shelf: Shelf | None = None,
    failures: list[Exception] | None = None,
) -> Iterator[Screen]:
    """Keep a screen current, as a worker does, for as long as the context lasts."""
    screen = screen or Screen(parts.keys)
    noted = [] if failures is None else failures
    keeper = ScreenKeeper(
        screen, parts.screens, every=every, failed=noted.append, shelf=shelf or a_shelf(parts), few=few
    )
    keeper.start()
    try:
        yield screen
    finally:
        keeper.stop()
    if failures is None:
        assert noted == []


def until(holds: Callable[[], bool], seconds: float = BOUND_SECONDS) -> bool:
    """Wait until something holds, and tell whether it came to that in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.005)
    return holds()
