"""A call to try as it stands in an address: encrypted, for histories and logs keep addresses, and it names a line."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from gateway.domain.errors import GatewayError
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.workflows.simulate_call import KeyPress
from gateway.workflows.try_script import TryScript

_PLACE = "console.tried"


def sealed(script: TryScript, zone: str, keys: KeyRing) -> str:
    """Return a script, and the zone (IANA) that its instant was typed in, as an address has them."""
    content = {
        "line": script.callee,
        "caller": script.caller,
        "at": script.at.isoformat(),
        "keys": [[key.digit, key.at] for key in script.keys],
        "ring": script.ring_seconds,
        "zone": zone,
    }
    text = json.dumps(content, separators=(",", ":"))
    return base64.urlsafe_b64encode(FieldCipher(keys).encrypt(text, place=_PLACE)).decode()


def opened(address: str, keys: KeyRing) -> tuple[TryScript, str] | None:
    """Return the script and the zone; None for nothing, and for what we did not seal."""
    if not address:
        return None
    try:
        content: dict[str, Any] = json.loads(
            FieldCipher(keys).decrypt(base64.urlsafe_b64decode(address.encode()), place=_PLACE)
        )
        script = TryScript(
            callee=str(content["line"]),
            caller=str(content["caller"]),
            at=datetime.fromisoformat(content["at"]),
            keys=tuple(KeyPress(digit=str(digit), at=float(at)) for digit, at in content["keys"]),
            ring_seconds=float(content["ring"]),
        )
        return script, str(content["zone"])
    except (GatewayError, binascii.Error, ValueError, KeyError, TypeError):
        return None
