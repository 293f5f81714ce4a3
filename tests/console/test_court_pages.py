"""Courts and districts: adding and changing them."""

import re
from collections.abc import Mapping

import pytest

from tests.console.people_scene import an_administrator
from tests.console.scene import Console, errors_of, text_of


class TestCourts:
    COURT: Mapping[str, object] = {"name": "Hillside Court", "id": "hillside", "zone": "Europe/London"}

    def test_a_court_and_its_districts_are_added(self, console: Console) -> None:
        reader = an_administrator(console, everywhere=True)
        assert reader.send("/courts/add", self.COURT).location == "/console/courts/hillside"
        reader.send("/courts/hillside/districts/add", name="North", id="hillside-north", parent="")
        reader.send("/courts/hillside/districts/add", name="Far north", id="hillside-far", parent="hillside-north")
        text = text_of(reader.get("/courts/hillside"))
        assert re.search("Far north ?hillside-far ?hillside-north", text)
        assert "Hillside Court" in text_of(reader.get("/courts"))

    @pytest.mark.parametrize(
        ("field", "value", "status", "said"),
        [
            ("name", " ", 422, "1 to 200 characters"),
            ("id", "Not An Id", 422, "cannot be an id"),
            ("id", "lakeside", 409, "already a court"),
            ("zone", "Europe/Nowhere", 422, "Europe/Nowhere"),
            ("warning_days", "0", 422, "warning period"),
            ("warning_days", "many", 422, "integer"),
            ("openers_per_day", "4", 422, "openers_per_day"),
            ("earliest", "07:00", 422, "earliest"),
            ("latest", "at night", 422, "time"),
        ],
    )
    def test_what_is_refused_is_told_beside_its_field(
        self, sqlite_console: Console, field: str, value: str, status: int, said: str
    ) -> None:
        answer = an_administrator(sqlite_console, everywhere=True).send("/courts/add", {**self.COURT, field: value})
        assert answer.status_code == status
        assert any(said in each for each in errors_of(answer)), errors_of(answer)
        assert f'id="{field}-error"' in answer.text

    def test_two_who_change_a_court_at_once_do_not_overwrite_each_other(self, sqlite_console: Console) -> None:
        first, second = an_administrator(sqlite_console), an_administrator(sqlite_console)
        path = "/courts/lakeside/change"
        seen = second.get(path)
        assert first.send(path, contents_per_30_days="2").status_code == 303
        assert second.send_as_seen(path, seen, warning_days="9").status_code == 412
        text = text_of(first.get("/courts/lakeside"))
        assert re.search("Messages in 30 days ?2", text)
        assert re.search("Warning period in days ?3", text)

    def test_a_courts_own_administrator_changes_it_and_adds_none(self, sqlite_console: Console) -> None:
        reader = an_administrator(sqlite_console)
        assert "/courts/add" not in reader.get("/courts").text
        assert reader.send("/courts/add", self.COURT).status_code == 403
        for page in ("", "/change", "/districts/add"):
            assert reader.get(f"/courts/thameside{page}").status_code == 404
