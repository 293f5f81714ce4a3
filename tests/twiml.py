"""Validating TwiML against Twilio's published schema, which lies beside the project where it lies at all."""

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "twiml-schema"
_SCHEMA = _FOLDER / "twiml_v20100401_twilioRealtimeCallSchema.xsd"
# "TwiML at most 64 kB, nothing before the prolog."
_LARGEST = 64 * 1024


@cache
def _schema() -> etree.XMLSchema | None:
    return etree.XMLSchema(etree.parse(_SCHEMA)) if _SCHEMA.is_file() else None


def demand_schema() -> None:
    """Skip the test that is about the schema itself where the schema is not there."""
    if _schema() is None:
        pytest.skip("Twilio's TwiML schema is not beside the project (../shared/twiml-schema)")


def assert_valid_twiml(body: bytes) -> None:
    """Fail for a document that Twilio's schema, or what the schema leaves out, does not allow."""
    assert len(body) <= _LARGEST
    assert body.startswith(b"<?xml")
    document = etree.fromstring(body)
    for noun in (*document.iter("Number"), *document.iter("Sip")):
        # The schema lets an empty noun pass, and Twilio does not.
        assert (noun.text or "").strip()
        # The schema is older than BYOC trunks: twilio.com/docs/voice/twiml/number lists `byoc`.
        if "byoc" in noun.attrib:
            del noun.attrib["byoc"]
    assert len(list(document.iter("Number"))) <= 10
    schema = _schema()
    if schema is not None:
        schema.assertValid(document)
