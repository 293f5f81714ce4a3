"""What the register says about the called line at one instant."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from gateway.domain.court import Caps
from gateway.domain.errors import NaiveTimeError
from gateway.domain.notice import Notices
from gateway.domain.order import Order


class Ground(Enum):
    """Why a line was taken out of an order, from a key pressed on the call."""

    CONTESTED = "contested"
    WRONG_PERSON = "wrong_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """When this line heard private prompts before this call, and when its holder last acknowledged."""

    openers: tuple[datetime, ...] = ()
    contents: tuple[datetime, ...] = ()
    acknowledged_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        for name, instants in (("openers", self.openers), ("contents", self.contents)):
            if any(instant.tzinfo is None for instant in instants):
                raise NaiveTimeError(field=name)
        if self.acknowledged_at is not None and self.acknowledged_at.tzinfo is None:
            raise NaiveTimeError(field="acknowledged_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOnLine:
    """One order as it bears on the called line.

    `zones` are all the zones the line may be in; `district_enabled` takes every ancestor into account.
    """

    order: Order
    caps: Caps
    zones: tuple[ZoneInfo, ...]
    line_suspended: bool
    district_enabled: bool
    notices: Notices
    history: History = field(default_factory=History)


@dataclass(frozen=True, slots=True)
class NoOrders:
    """The line is under no order."""


@dataclass(frozen=True, slots=True)
class UnderOrders:
    """The line is named in one or more orders, whatever their state."""

    orders: tuple[OrderOnLine, ...]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The register could not be asked; `why` is a stable word for the metric."""

    why: str


Standing = NoOrders | UnderOrders | Unavailable
