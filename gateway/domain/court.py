"""Courts with their caps, and the tree of districts that operators switch."""

from dataclasses import dataclass, field
from datetime import datetime, time

from gateway.domain.errors import CapsTooLooseError

# The loosest that any court may set; DESIGN.md section 2, after 12 CFR 1006.6(b), 1006.14 and 47 CFR 64.1200.
EARLIEST, LATEST = time(8), time(21)
OPENERS_PER_DAY, CONTENTS_PER_DAY, CONTENTS_PER_30_DAYS = 3, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How often, and at what local times, a natural person's line may hear a private notice.

    `earliest` is included, `latest` is not. Raises CapsTooLooseError where a value is looser than the law's analogue.
    """

    openers_per_day: int = OPENERS_PER_DAY
    contents_per_day: int = CONTENTS_PER_DAY
    contents_per_30_days: int = CONTENTS_PER_30_DAYS
    earliest: time = EARLIEST
    latest: time = LATEST

    def __post_init__(self) -> None:
        """Refuse anything looser than the limits above."""
        for name, limit in (
            ("openers_per_day", OPENERS_PER_DAY),
            ("contents_per_day", CONTENTS_PER_DAY),
            ("contents_per_30_days", CONTENTS_PER_30_DAYS),
        ):
            value: int = getattr(self, name)
            if not 0 <= value <= limit:
                raise CapsTooLooseError(field=name, value=value, limit=limit)
        if self.earliest < EARLIEST:
            raise CapsTooLooseError(field="earliest", value=self.earliest, limit=EARLIEST)
        if self.latest > LATEST:
            raise CapsTooLooseError(field="latest", value=self.latest, limit=LATEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A court that issues orders; `zone` is its IANA time zone, `warning_days` the length of the warning period."""

    court_id: str
    name: str
    zone: str
    warning_days: int = 3
    caps: Caps = field(default_factory=Caps)
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A node in the tree of districts; switching one off silences everything below it."""

    district_id: str
    court_id: str
    name: str
    parent_id: str | None
    enabled: bool
    reason: str = ""
    version: int = 1
    switched_at: datetime | None = None
