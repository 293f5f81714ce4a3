"""Switch a district on or off; off silences everything below it from the next call on."""

from datetime import datetime

from sqlalchemy import Engine

from gateway.domain.errors import GatewayError
from gateway.register import districts


class ReasonMissingError(GatewayError):
    """Switching a district needs a reason, which the record keeps; write one."""

    code = "reason_missing"


def switch_district(engine: Engine, district_id: str, *, to_enabled: bool, reason: str, now: datetime) -> None:
    """Switch. Once this has returned, no call plays a notice of a silenced district. Raises UnknownEntryError."""
    if not reason.strip():
        raise ReasonMissingError
    with engine.begin() as connection:
        districts.switch(connection, district_id, to_enabled=to_enabled, reason=reason.strip(), now=now)
