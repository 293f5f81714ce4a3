"""Where a line may be: the time zones a country code allows, for lines whose zone no order states.

Where the zone is unknown, all candidate zones must permit a play; so only the extremes of a country matter, and a
country that is not listed never permits one (its lines need a stated zone).
"""

from zoneinfo import ZoneInfo

from gateway.domain.e164 import E164

# Source: the IANA time zone database, the eastern- and westernmost zones in use in each country or numbering area.
_CANDIDATES: dict[str, tuple[str, ...]] = {
    "+1": ("Pacific/Honolulu", "America/Adak", "America/Los_Angeles", "America/New_York", "America/St_Johns"),
    "+1670": ("Pacific/Saipan",),
    "+1671": ("Pacific/Guam",),
    "+1684": ("Pacific/Pago_Pago",),
    "+27": ("Africa/Johannesburg",),
    "+31": ("Europe/Amsterdam",),
    "+32": ("Europe/Brussels",),
    "+33": ("Europe/Paris",),
    "+34": ("Europe/Madrid", "Atlantic/Canary"),
    "+351": ("Europe/Lisbon", "Atlantic/Azores"),
    "+353": ("Europe/Dublin",),
    "+358": ("Europe/Helsinki",),
    "+39": ("Europe/Rome",),
    "+41": ("Europe/Zurich",),
    "+43": ("Europe/Vienna",),
    "+44": ("Europe/London",),
    "+45": ("Europe/Copenhagen",),
    "+46": ("Europe/Stockholm",),
    "+47": ("Europe/Oslo",),
    "+48": ("Europe/Warsaw",),
    "+49": ("Europe/Berlin",),
    "+52": ("America/Tijuana", "America/Mexico_City", "America/Cancun"),
    "+55": ("America/Rio_Branco", "America/Sao_Paulo", "America/Noronha"),
    "+61": ("Indian/Cocos", "Indian/Christmas", "Australia/Perth", "Australia/Sydney", "Australia/Lord_Howe"),
    "+64": ("Pacific/Auckland", "Pacific/Chatham"),
    "+65": ("Asia/Singapore",),
    "+81": ("Asia/Tokyo",),
    "+82": ("Asia/Seoul",),
    "+852": ("Asia/Hong_Kong",),
    "+86": ("Asia/Shanghai", "Asia/Urumqi"),
    "+886": ("Asia/Taipei",),
    "+91": ("Asia/Kolkata",),
}
_LONGEST_CODE = 5


def candidate_zones(line: E164) -> tuple[ZoneInfo, ...]:
    """Return every zone that decides for `line`'s country; empty where the country is not known."""
    for length in range(_LONGEST_CODE, 1, -1):
        names = _CANDIDATES.get(line.number[:length])
        if names is not None:
            return tuple(ZoneInfo(name) for name in names)
    return ()
