"""How the golden cases of each dialect are posted, and how its answers are written down for comparison."""

import json
import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote, urlencode

from lxml import etree

from gateway.domain.route import Routes
from gateway.providers.dialect import Answer, Delivery, Dialect, Event
from gateway.providers.sip.signature import sign
from tests.builders import NOW
from tests.contract.dialects import KEYS, ORIGIN, SECRET, TOKEN, a_sip, a_twilio, signature_by_twilio
from tests.twiml import assert_valid_twiml


class Wire(Protocol):
    """What a dialect's golden cases need beside the dialect."""

    extension: str

    def dialect(self, routes: Routes) -> Dialect: ...

    def delivery(self, event: Event, token: str, params: Mapping[str, str]) -> Delivery: ...

    def normalised(self, answer: Answer) -> str:
        """Write an answer down without what differs from run to run."""
        ...


class TwilioWire:
    """Signed forms, TwiML."""

    extension = "xml"

    def dialect(self, routes: Routes) -> Dialect:
        return a_twilio(routes=routes)

    def delivery(self, event: Event, token: str, params: Mapping[str, str]) -> Delivery:
        target = _target("twilio", event, token)
        return Delivery(
            event=event,
            target=target,
            content_type="application/x-www-form-urlencoded; charset=UTF-8",
            signature=signature_by_twilio(TOKEN, ORIGIN + target, list(params.items())),
            body=urlencode(params).encode(),
        )

    def normalised(self, answer: Answer) -> str:
        """Validate a document and write it with one element a line."""
        assert_valid_twiml(answer.body)
        document = etree.fromstring(answer.body)
        etree.indent(document)
        return _settled(etree.tostring(document, encoding="unicode", pretty_print=True))


class SipWire:
    """Signed JSON both ways."""

    extension = "json"

    def dialect(self, routes: Routes) -> Dialect:
        return a_sip(routes=routes)

    def delivery(self, event: Event, token: str, params: Mapping[str, str]) -> Delivery:
        target = _target("sip", event, token)
        body = json.dumps({"version": 1, **params}).encode()
        return Delivery(
            event=event,
            target=target,
            content_type="application/json",
            signature=sign(SECRET, target, body, NOW),
            body=body,
        )

    def normalised(self, answer: Answer) -> str:
        """Write a document with one value a line, as the bridge can read it."""
        text = json.dumps(json.loads(answer.body), indent=2, ensure_ascii=False) + "\n"
        return _settled(text).replace(KEYS.key_id, "MARK")


_WIRES: Mapping[str, Wire] = {"twilio": TwilioWire(), "sip": SipWire()}


def wire_of(dialect: str) -> Wire:
    """Return the wire of a dialect. Raises KeyError for one that has none."""
    return _WIRES[dialect]


def _target(dialect: str, event: Event, token: str) -> str:
    return f"/{dialect}/{event.value}" + (f"?t={quote(token)}" if token else "")


def _settled(text: str) -> str:
    return re.sub(r"[0-9a-f]{64}", "SHA256", re.sub(r"\?t=[\w-]+", "?t=TOKEN", text))
