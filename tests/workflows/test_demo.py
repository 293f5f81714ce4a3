from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.workflows.load_demo import person_in_permitted_hours

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("day", [0, 90, 180, 300])
def test_at_any_hour_of_the_year_one_person_of_the_demo_may_be_spoken_to(day: int) -> None:
    for quarter in range(96):
        now = START + timedelta(days=day, minutes=15 * quarter)
        number, city = person_in_permitted_hours(now)
        assert number in {"+12025550120", "+442079460120", "+61255500120"}
        zone = {"New York": "America/New_York", "London": "Europe/London", "Sydney": "Australia/Sydney"}[city]
        assert 8 <= now.astimezone(ZoneInfo(zone)).hour < 21
