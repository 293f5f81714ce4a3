"""What the tests of people, API keys and courts share: who asks, what a page shows once, a key's form."""

import re
from collections.abc import Mapping
from datetime import timedelta

from werkzeug.test import TestResponse

from gateway.clock import utc_now
from gateway.domain.rights import Everywhere, InCourt, Role
from tests.console.scene import LAKESIDE, Console, Reader, text_of

THAMESIDE = InCourt(court_id="thameside")


def an_administrator(console: Console, everywhere: bool = False) -> Reader:  # noqa: FBT001, FBT002
    return console.somebody(Role.ADMINISTRATOR, scope=Everywhere() if everywhere else LAKESIDE)


def secret_in(page: TestResponse, prefix: str) -> str:
    found = re.findall(rf"<code>({prefix}[^<]+)</code>", page.text)
    return str(found[0]) if found else ""


def follow(reader: Reader, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303, text_of(answer)
    return reader.client.get(answer.location)


def issue(reader: Reader, **other: object) -> TestResponse:
    return reader.send("/api-keys/issue", key_form(**other))


def key_form(**other: object) -> Mapping[str, object]:
    tomorrow = (utc_now() + timedelta(days=1)).date().isoformat()
    form: dict[str, object] = {"name": "Payments", "rights": ["satisfaction:report", "orders:read"]}
    return form | {"place": "lakeside", "expires_at": tomorrow} | other
