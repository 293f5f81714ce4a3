"""The whole life of two orders over HTTP: from the draft to the lift, and to the purge when their time is over."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import update

from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.register.tables import orders
from gateway.workflows.load_demo_people import DEMO_PASSWORD, DEMO_TOTP_SECRET
from tests.end_to_end.call_script import Press, Script
from tests.end_to_end.court_system import A_PDF, PREFIX, Officer, Receiver, receiving
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import a_line, an_open_zone, wait_until_known
from tests.end_to_end.server import Server, run
from tests.postgres import Postgres

ORGANISATION_NAME, PERSON_NAME = "Lifelong Haulage Incorporated", "Zebulon Unmistakable"
PUBLIC_CASE, PRIVATE_CASE = "2026-LIFE-7731", "2026-LIFE-7732"
PAST_RETENTION = timedelta(days=400)


def sign_in(server: Server, login: str) -> Officer:
    """Sign in as a person would: password, and the code that the app shows now."""
    code = pyotp.TOTP(DEMO_TOTP_SECRET).now()
    body = {"login": login, "password": DEMO_PASSWORD, "code": code}
    answer = httpx.post(f"{server.origin}{PREFIX}/sessions", json=body, trust_env=False, timeout=30)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return Officer(origin=server.origin, token=answer.json()["token"])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as court:
        yield court


def a_draft(clerk: Officer, case_number: str, subject: dict[str, Any], line: str) -> dict[str, Any]:
    document = clerk.upload("/courts/lakeside/documents", A_PDF + case_number.encode())
    body = {
        "court": "lakeside",
        "district": "lakeside-north",
        "case_number": case_number,
        "subject": subject,
        "lines": [{"number": line, "zone": an_open_zone(utc_now()), "evidence": "www.example.com, seen 2026-11-20"}],
        "legal_basis": "A law made for this test",
        "document_sha256": document["sha256"],
        "valid_days": 90,
        "languages": ["en"],
    }
    drafted: dict[str, Any] = clerk.post("/orders", body, expect=201)
    return drafted


def approved(clerk: Officer, judge: Officer, order_id: str) -> dict[str, Any]:
    """Submit a draft; its drafter cannot approve it, and the second officer can, once, on what was read."""
    path = f"/orders/{order_id}"
    before = judge.etag_of(path)
    clerk.post(f"{path}/submit")
    read = judge.etag_of(path)
    assert clerk.post(f"{path}/approve", expect=403, etag=read)["code"] == "not_allowed"
    assert judge.post(f"{path}/approve", expect=412, etag=before)["code"] == "stale_version"
    done: dict[str, Any] = judge.post(f"{path}/approve", etag=read)
    return done


def let_time_pass(office: Parts, order_id: str, span: timedelta, *names: str) -> None:
    """Move instants of an order into the past, as waiting would have done."""
    with office.studio.engine.begin() as connection:
        row = connection.execute(orders.select().where(orders.c.order_id == order_id)).one()
        earlier = {name: getattr(row, name) - span for name in names if getattr(row, name) is not None}
        connection.execute(update(orders).where(orders.c.order_id == order_id).values(**earlier))


def test_an_order_lives_from_its_draft_to_its_purge(
    server: Server, office: Parts, twilio: Twilio, receiver: Receiver, request: pytest.FixtureRequest
) -> None:
    clerk, judge, auditor = (sign_in(server, login) for login in ("clerk", "judge", "auditor"))
    told = run(server.env, "webhooks", "add", receiver.url, "--court", "lakeside")
    assert told.returncode == 0, told.stderr
    secret = next(word for word in told.stdout.split() if word.startswith("whsec_"))
    life = Life(server=server, office=office, twilio=twilio, clerk=clerk, judge=judge, receiver=receiver, secret=secret)

    private_order, private_line = life.of_a_person()
    public_order, public_line = life.of_an_organisation(auditor)

    for order_id in (public_order, private_order):
        let_time_pass(office, order_id, PAST_RETENTION, "drafted_at", "lifted_at", "valid_until", "in_force_from")
    assert run(server.env, "retention", "run").returncode == 0
    for order_id in (public_order, private_order):
        left = clerk.get(f"/orders/{order_id}")
        assert (left["state"], left["subject"], left["case_number"], left["lines"]) == ("purged", None, None, [])
    assert twilio.ring(public_line).is_plain

    tags = [entry["tag"] for entry in auditor.get("/audit", subject=public_order, limit="200")["items"]]
    assert tags == [
        "gateway:order:purged",
        "payment:order:lifted",
        "office:order:approved",
        "office:order:submitted",
        "office:order:drafted",
    ]
    verified = run(server.env, "audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    dump = a_dump(server, request)
    for secret_text in (ORGANISATION_NAME, PERSON_NAME, PUBLIC_CASE, PRIVATE_CASE, public_line[1:], private_line[1:]):
        assert secret_text.encode() not in dump


class Life:
    """The two lives, and everybody who takes part in them."""

    def __init__(
        self,
        *,
        server: Server,
        office: Parts,
        twilio: Twilio,
        clerk: Officer,
        judge: Officer,
        receiver: Receiver,
        secret: str,
    ) -> None:
        self.server, self.office, self.twilio = server, office, twilio
        self.clerk, self.judge, self.receiver, self.secret = clerk, judge, receiver, secret

    def of_an_organisation(self, auditor: Officer) -> tuple[str, str]:
        """Draft, second officer, warning, in force, a public notice, payment, silence."""
        line = a_line()
        identifier = {"scheme": "ein", "value": "12-3456786", "legal_form": "Inc."}
        subject = {"kind": "organisation", "name": ORGANISATION_NAME, "identifier": identifier}
        order_id = a_draft(self.clerk, PUBLIC_CASE, subject, line)["id"]
        assert self.twilio.ring(line).is_plain
        assert approved(self.clerk, self.judge, order_id)["state"] == "warned"
        self.receiver.wait_for("order.approved", self.secret, order_id)
        wait_until_known(self.twilio, line)
        warned = self.twilio.ring(line)
        assert warned.callee_heard
        assert not warned.caller_heard

        let_time_pass(
            self.office, order_id, timedelta(days=4), "submitted_at", "approved_at", "warned_from", "in_force_from"
        )
        heard = self.twilio.ring(line)
        assert heard.caller_heard
        assert not heard.callee_heard
        played = auditor.get("/plays", order=order_id, limit="200")["items"]
        public = [play for play in played if play["purpose"] == "public"]
        assert {play["leg"] for play in public} == {"A"}
        assert heard.caller_heard[0].prompt in public[0]["files"]
        assert public[0]["provider_call"].startswith("CA")

        self.paid(order_id)
        assert self.twilio.ring(line).is_plain
        self.receiver.wait_for("order.lifted", self.secret, order_id)
        return order_id, line

    def of_a_person(self) -> tuple[str, str]:
        """Draft, second officer, a private opener, a dispute from a key, an officer's resolution, a lift."""
        line = a_line()
        order_id = a_draft(self.clerk, PRIVATE_CASE, {"kind": "natural_person", "name": PERSON_NAME}, line)["id"]
        assert approved(self.clerk, self.judge, order_id)["state"] == "in_force"
        wait_until_known(self.twilio, line)
        asked = self.twilio.call(Script(callee=line, presses=(Press(party="callee", prompt=0, key="9"),)))
        assert asked.callee_heard
        assert not asked.caller_heard
        assert self.twilio.ring(line).is_plain

        told = self.receiver.wait_for("dispute.opened", self.secret, order_id)
        assert told["data"]["ground"] == "wrong_person"
        (dispute,) = self.clerk.get("/disputes", order=order_id)["items"]
        assert self.clerk.post(f"/disputes/{dispute['id']}/resolve", {"resolution": "resume"}, expect=403)
        resolved = self.judge.post(
            f"/disputes/{dispute['id']}/resolve", {"resolution": "resume", "note": "It is hers."}
        )
        assert resolved["resolution"] == "resume"
        again = self.twilio.ring(line)
        assert again.callee_heard
        assert not again.caller_heard

        assert self.clerk.post(f"/orders/{order_id}/lift", {"reason": "Served in court."})["state"] == "lifted"
        assert self.twilio.ring(line).is_plain
        return order_id, line

    def paid(self, order_id: str) -> None:
        """Let the court's payment system report the payment with a key that can do nothing else."""
        issued = run(
            self.server.env, "api-keys", "issue", "--name", "payments", "--right", "satisfaction:report",
            "--at", "lakeside", "--days", "30",
        )  # fmt: skip
        assert issued.returncode == 0, issued.stderr
        token = next(word for word in issued.stdout.split() if word.startswith("cnk_"))
        payments = Officer(origin=self.server.origin, token=token)
        assert payments.get(f"/orders/{order_id}", expect=403)["code"] == "not_allowed"
        lifted = payments.post(f"/orders/{order_id}/satisfaction", {"reference": "2026/000815"})
        assert lifted["state"] == "lifted"


def a_dump(server: Server, request: pytest.FixtureRequest) -> bytes:
    """Return everything that the database holds: pg_dump's text, or SQLite's files with the write-ahead log."""
    if not server.settings.database_url:
        return b"".join(path.read_bytes() for path in sorted(server.folder.glob("register.sqlite3*")))
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.dump(server.settings.database_url)
