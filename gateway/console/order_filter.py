"""The filters of the list of orders: they stand in the address, so that a list can be kept and sent to a colleague.

What is looked for by telephone or case number stands there encrypted: addresses are kept in histories and logs.
"""

import base64
import binascii
import json
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from gateway.domain.e164 import E164
from gateway.domain.errors import GatewayError
from gateway.domain.order import OrderState
from gateway.domain.rights import Actor, Right
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.order_list import OrderQuery

_PLACE = "console.sought"
_IDS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to list: the query, and what the form beside the list begins with."""

    query: OrderQuery
    line: str = field(default="", repr=False)
    case_number: str = field(default="", repr=False)
    sought: str = ""

    @property
    def is_first_page(self) -> bool:
        """Tell whether the list begins with the newest order."""
        return not self.query.after

    @property
    def address(self) -> dict[str, str]:
        """Return the filters as an address has them."""
        state = self.query.state.value if self.query.state else ""
        named = {
            "court": self.query.court_id,
            "district": self.query.district_id,
            "state": state,
            "batch": self.query.batch_id,
            "sought": self.sought,
        }
        return {name: value for name, value in named.items() if value}


def read_filter(arguments: MultiDict[str, str], actor: Actor, keys: KeyRing, *, limit: int) -> Filter:
    """Return the filter of an address; what cannot be read there filters nothing."""
    line, case_number = _open(arguments.get("sought", ""), keys)
    states = {state.value: state for state in OrderState}
    query = OrderQuery(
        reach=actor.reach(Right.ORDERS_READ),
        court_id=arguments.get("court", "")[:_IDS],
        district_id=arguments.get("district", "")[:_IDS],
        batch_id=arguments.get("batch", "")[:_IDS],
        state=states.get(arguments.get("state", "")),
        line=E164(line) if line else None,
        case_number=case_number,
        after=arguments.get("after", "")[:_IDS],
        limit=limit,
    )
    return Filter(query=query, line=line, case_number=case_number, sought=arguments.get("sought", ""))


def sealed(line: str, case_number: str, keys: KeyRing) -> str:
    """Return what to look for as it stands in an address; empty for nothing."""
    if not (line or case_number):
        return ""
    text = json.dumps([line, case_number])
    return base64.urlsafe_b64encode(FieldCipher(keys).encrypt(text, place=_PLACE)).decode()


def _open(sought: str, keys: KeyRing) -> tuple[str, str]:
    """Return the line and the case number; what another key sealed, or nobody, is nothing."""
    if not sought:
        return "", ""
    try:
        line, case_number = json.loads(
            FieldCipher(keys).decrypt(base64.urlsafe_b64decode(sought.encode()), place=_PLACE)
        )
    except (GatewayError, binascii.Error, ValueError):
        return "", ""
    return str(line), str(case_number)
