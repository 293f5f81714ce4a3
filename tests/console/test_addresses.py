import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import format_date, format_datetime
from werkzeug.routing import BuildError

from gateway.console.app import PAGES
from gateway.console.app import Console as Program
from gateway.console.languages import day, instant, text
from tests.console.scene import Console

_VALUES = ("ord_9f86d081884c", "a b/c?d#e&f=g+ü%", "a:b@c!$'()*,;=~-._")


def program_of(console: Console) -> Program:
    program = console.app
    assert isinstance(program, Program)
    return program


def test_every_page_has_the_address_that_werkzeug_gives_it(sqlite_console: Console) -> None:
    program = program_of(sqlite_console)
    with program.test_request_context("/console/"):
        for page in PAGES:
            for value in _VALUES:
                given: dict[str, Any] = dict.fromkeys(re.findall(r"<(\w+)>", page.path), value)
                if "<path:" in page.path:
                    given["place"] = value
                for asked in ({}, {"next": value, "nothing": None, "number": 3}):
                    values: dict[str, Any] = given | asked
                    assert program.url_for(page.name, **values) == Flask.url_for(program, page.name, **values)


def test_a_page_that_there_is_not_has_no_address(sqlite_console: Console) -> None:
    program = program_of(sqlite_console)
    with program.test_request_context("/console/"):
        for name in ("no_page", "show_order"):
            with pytest.raises(BuildError):
                program.url_for(name)


def test_a_file_is_served_where_its_address_says(sqlite_console: Console) -> None:
    address = program_of(sqlite_console).addresses.of_file("console.css")
    with sqlite_console.anybody.get(address) as answer:
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert re.fullmatch(r"/console/static/console\.css\?v=[0-9a-f]{16}", address)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_instant_is_written_as_the_language_has_it(sqlite_console: Console, language: str) -> None:
    program, zone = program_of(sqlite_console), ZoneInfo("America/New_York")
    with program.test_request_context("/console/", headers={"Cookie": f"language={language}"}):
        for hours in range(0, 24 * 365, 37):
            at = datetime(2026, 1, 1, 0, 5, 9, tzinfo=UTC) + timedelta(hours=hours)
            shown = format_datetime(at.astimezone(zone), "medium", rebase=False)
            assert f">{shown} {at.astimezone(zone).tzname()}<" in instant(at, zone.key)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_day_is_written_as_the_language_has_it(sqlite_console: Console, language: str) -> None:
    with program_of(sqlite_console).test_request_context("/console/", headers={"Cookie": f"language={language}"}):
        for days in range(0, 366, 5):
            on = date(2026, 1, 1) + timedelta(days=days)
            shown = format_date(on, "medium", rebase=False)
            assert day(on) == f'<time datetime="{on.isoformat()}">{shown}</time>'


def test_what_is_put_into_a_text_is_escaped_and_a_percent_sign_stays_one(sqlite_console: Console) -> None:
    with program_of(sqlite_console).test_request_context("/console/"):
        assert text("by %(name)s", name="<b>") == "by &lt;b&gt;"
        assert text("100%% of it") == "100% of it"
