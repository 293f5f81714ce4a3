"""Where a line may be: every zone exists, and no zone of a country is spoken to outside permitted hours."""

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

import pytest

from gateway.domain.e164 import E164
from gateway.domain.zones import candidate_zones

# ITU-T E.164 and NANPA assignments: the countries and territories whose lines begin with a code that the table lists.
TERRITORIES = {
    "+1": "US CA PR VI BM BS BB AG AI VG KY GD TC JM MS SX LC DM VC DO TT KN",
    "+1670": "MP",
    "+1671": "GU",
    "+1684": "AS",
    "+27": "ZA",
    "+31": "NL",
    "+32": "BE",
    "+33": "FR",
    "+34": "ES",
    "+351": "PT",
    "+353": "IE",
    "+358": "FI AX",
    "+39": "IT VA",
    "+41": "CH",
    "+43": "AT",
    "+44": "GB GG IM JE",
    "+45": "DK",
    "+46": "SE",
    "+47": "NO SJ",
    "+48": "PL",
    "+49": "DE",
    "+52": "MX",
    "+55": "BR",
    "+61": "AU CX CC",
    "+64": "NZ",
    "+65": "SG",
    "+81": "JP",
    "+82": "KR",
    "+852": "HK",
    "+86": "CN",
    "+886": "TW",
    "+91": "IN",
}
# Antarctic stations that zone.tab counts among a country, with numbers elsewhere (+672) or no resident at all.
NOT_REACHED = {"Antarctica/Macquarie", "Antarctica/McMurdo"}
# Midsummer, midwinter, and the weeks in which one country has changed its clocks and its neighbour has not.
DAYS = [(1, 15), (3, 15), (4, 10), (7, 15), (10, 28)]
HALF_HOURS = [
    datetime(2026, month, day, tzinfo=UTC) + timedelta(minutes=30 * step) for month, day in DAYS for step in range(48)
]


def _zones_of_territories() -> dict[str, list[str]]:
    """Read the IANA table of countries and their zones, as the tzdata package carries it."""
    zones = defaultdict(list)
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            territory, _, zone, *_ = line.split("\t")
            zones[territory].append(zone)
    return dict(zones)


def _permitted(now: datetime, zone: ZoneInfo) -> bool:
    return time(8) <= now.astimezone(zone).time() < time(21)


PLACES = [
    pytest.param(code, zone, id=f"{code} in {zone}")
    for code, territories in TERRITORIES.items()
    for territory in territories.split()
    for zone in _zones_of_territories()[territory]
    if zone not in NOT_REACHED
]


def test_every_code_of_the_table_is_examined_here() -> None:
    every = (E164(f"+{code}20255501") for code in range(1, 1000))
    listed = {number.number for number in every if candidate_zones(number)}
    assert listed == {number for number in listed if number.startswith(tuple(TERRITORIES))}


@pytest.mark.parametrize("code", TERRITORIES)
def test_every_zone_of_the_table_exists(code: str) -> None:
    assert {zone.key for zone in candidate_zones(E164(code + "20255501"))} <= available_timezones()


@pytest.mark.parametrize(("code", "zone"), PLACES)
def test_a_line_is_never_spoken_to_outside_the_hours_of_where_it_is(code: str, zone: str) -> None:
    candidates, here = candidate_zones(E164(code + "20255501")), ZoneInfo(zone)
    wrongly = [
        now for now in HALF_HOURS if all(_permitted(now, each) for each in candidates) and not _permitted(now, here)
    ]
    assert wrongly == []


@pytest.mark.parametrize("code", TERRITORIES)
def test_every_listed_country_can_be_spoken_to_at_some_hour(code: str) -> None:
    candidates = candidate_zones(E164(code + "20255501"))
    assert candidates
    assert any(all(_permitted(now, each) for each in candidates) for now in HALF_HOURS)


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+442079460110", "Europe/London"),
        ("+85221234567", "Asia/Hong_Kong"),
        ("+886221234567", "Asia/Taipei"),
        ("+8613812345678", "Asia/Shanghai"),
        ("+358912345678", "Europe/Helsinki"),
    ],
)
def test_the_longest_code_that_fits_tells_the_country(number: str, zone: str) -> None:
    assert candidate_zones(E164(number))[0].key == zone


@pytest.mark.parametrize("number", ["+79161234567", "+35012345678", "+26912345678", "+881612345678", "+6745551234"])
def test_a_country_that_is_not_listed_has_no_zones(number: str) -> None:
    assert candidate_zones(E164(number)) == ()
