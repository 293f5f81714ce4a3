"""Switch a district on or off; off silences everything below it from the next call on."""

from sqlalchemy import Engine

from gateway.audit.tags import Tag
from gateway.domain.court import District
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.domain.rights import Right
from gateway.privacy.ring import KeyRing
from gateway.register import districts
from gateway.workflows.access import demand_district
from gateway.workflows.change import Errand, change


class ReasonMissingError(GatewayError):
    """Switching a district needs a reason, which the record keeps; write one."""

    code = "reason_missing"


def switch_district(
    engine: Engine,
    keys: KeyRing,
    district_id: str,
    errand: Errand,
    *,
    to_enabled: bool,
    reason: str,
    expected: int | None = None,
) -> District:
    """Switch and return the district. Once this has returned, no call plays a notice of a silenced district.

    The reason is kept in the clear and in the trail: it is about a district and names nobody.
    Raises ReasonMissingError, UnknownEntryError, NotAllowedError, StaleVersionError.
    """
    if not reason.strip():
        raise ReasonMissingError
    with change(engine, keys, errand) as under_way:
        connection = under_way.connection
        demand_district(connection, errand.actor, district_id, Right.DISTRICTS_SWITCH)
        present = districts.get(connection, district_id, lock=True)
        if expected is not None and present.version != expected:
            raise StaleVersionError(what=f"District {district_id}")
        districts.switch(connection, district_id, to_enabled=to_enabled, reason=reason.strip(), now=errand.at)
        tag = Tag.DISTRICT_SWITCHED_ON if to_enabled else Tag.DISTRICT_SWITCHED_OFF
        under_way.note(tag, district_id, court_id=present.court_id, reason=reason.strip())
        return districts.get(connection, district_id)
