"""A telephone for tests inside one process: signs webhooks and posts them as gunicorn would hand them over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from flask import Flask
from lxml import etree
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from tests.twiml import assert_valid_twiml

CALLER = "+12025550188"
Fields = Mapping[str, str | Sequence[str]]


def a_call_sid() -> str:
    return f"CA{uuid4().hex}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """Posts signed webhooks; every TwiML document that comes back is validated against Twilio's schema."""

    app: Flask
    origin: str
    token: str

    def post(self, target: str, fields: Fields, *, headers: Mapping[str, str] | None = None) -> TestResponse:
        """Post form fields to a raw request target, or to an absolute URL of the gateway."""
        if not target.startswith("/"):
            parts = urlsplit(target)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signature = RequestValidator(self.token).compute_signature(
            self.origin + target,
            {key: value if isinstance(value, str) else list(value) for key, value in fields.items()},
        )
        body = urlencode(fields, doseq=True).encode()
        return self.post_raw(target, body, headers={"X-Twilio-Signature": signature, **(headers or {})})

    def post_raw(
        self,
        target: str,
        body: bytes,
        *,
        content_type: str = "application/x-www-form-urlencoded",
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Post bytes as they are."""
        response = self.app.test_client().post(
            target,
            data=body,
            content_type=content_type,
            headers=dict(headers or {}),
            environ_overrides={"RAW_URI": target},
        )
        if response.status_code == 200 and response.mimetype == "text/xml":
            assert_valid_twiml(response.data)
        return response

    def call(self, callee: str, *, caller: str = CALLER, sid: str = "") -> TestResponse:
        """Let a call come in."""
        return self.post("/twilio/call", arriving(callee, caller=caller, sid=sid))

    def answer(self, dialled: TestResponse, parent: str) -> TestResponse:
        """Let the callee of a whispered Dial pick up."""
        nouns = [*xml(dialled).iter("Number"), *xml(dialled).iter("Sip")]
        return self.post(str(nouns[0].get("url")), child(parent))

    def press(self, gathering: TestResponse, key: str, fields: Fields) -> TestResponse:
        """Press a key, or none, while a Gather listens."""
        gather = next(iter(xml(gathering).iter("Gather")))
        return self.post(str(gather.get("action")), {**fields, "Digits": key})


def arriving(callee: str, *, caller: str = CALLER, sid: str = "") -> dict[str, str]:
    """Return what Twilio posts when a call comes in."""
    return {
        "CallSid": sid or a_call_sid(),
        "AccountSid": "AC" + "0" * 32,
        "From": caller,
        "To": callee,
        "Caller": caller,
        "Called": callee,
        "Direction": "inbound",
        "CallStatus": "ringing",
        "ApiVersion": "2010-04-01",
    }


def child(parent: str) -> dict[str, str]:
    """Return what Twilio posts on the leg that it dialled for the call `parent`."""
    return {"CallSid": a_call_sid(), "ParentCallSid": parent, "Direction": "outbound-dial", "CallStatus": "in-progress"}


def xml(response: TestResponse) -> etree._Element:
    return etree.fromstring(response.data)


def prompts_in(response: TestResponse) -> list[str]:
    """Return the SHA-256 of every rendition that a document plays."""
    return [str(url.text).rpartition("/")[2].removesuffix(".wav") for url in xml(response).iter("Play")]


def noon(year: int = 2026, month: int = 3, day: int = 2) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)
