"""Whose clock a page is written by: the court's, where all of it is one court's, or of courts with the same clock."""

from collections.abc import Iterable

from gateway.domain.court import Court

UTC = "UTC"


def zone_of(courts: Iterable[Court]) -> str:
    """Return the IANA time zone that courts share; UTC where they share none, or where there is no court."""
    zones = {court.zone for court in courts}
    return zones.pop() if len(zones) == 1 else UTC
