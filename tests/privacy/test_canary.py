"""Promise 5 from outside: a number and a name that stand nowhere else are sent down every path, and then looked for.

Real processes answer. Whoever builds a new way in adds it to PATHS; what it writes is searched with the rest.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from gateway.app import Running
from gateway.assembly import Parts, put_together
from gateway.audit.tables import trail
from gateway.clock import utc_now
from gateway.domain.e164 import E164
from gateway.domain.order import Authority
from gateway.domain.rights import Everywhere, Right
from gateway.domain.subject import NaturalPerson, Organisation, Subject
from gateway.outbox.tables import messages
from gateway.people.api_keys import KeyDraft
from gateway.providers.sip.signature import HEADER, sign
from gateway.register.identifiers import read_identifier
from gateway.register.lines import Line
from gateway.register.notices import Officers
from gateway.settings import DEMO_TOKEN, Settings
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_api_key import issue_api_key
from gateway.workflows.issue_order import OrderDraft, issue_order
from gateway.workflows.publish_notice import Text, Wanted
from tests.conftest import a_studio
from tests.end_to_end.call_script import Press, Script
from tests.end_to_end.independent_twilio import Twilio, signature
from tests.end_to_end.issuing import an_open_zone
from tests.end_to_end.server import Server, run, serving
from tests.postgres import Postgres
from tests.telephone import Telephone, arriving

# Numbers for fiction (Ofcom, 020 7946 0xxx and 01632 960xxx) that no other test and no sample has.
CALLER, FREE = "+441632960987", "+442079460981"
PUBLIC, ACKNOWLEDGED, CONTESTED, WRONG = (f"+44207946097{number}" for number in range(4))
FIRM, PERSON, CASE = "Quillon Canary Works Incorporated", "Zebedee Fernsby Canary", "CANARY/7741/26"
SPOKEN, LAW = "Wherefore the canary sings of Fernsby.", "Canary Birds Act, section 77"
NUMBERS = (CALLER, FREE, PUBLIC, ACKNOWLEDGED, CONTESTED, WRONG)
WORDS = (FIRM, PERSON, CASE, SPOKEN, LAW)
SIP_SECRET = "the secret of a bridge that sings"
_HEX = re.compile(rb"[0-9a-f]{64}")


@dataclass(kw_only=True)
class Cage:
    """A gateway that serves, an office beside it, and everything that anybody outside was told."""

    server: Server
    office: Parts
    twilio: Twilio
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    terminals: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> int:
        """Ask the API and keep the answer."""
        answer = httpx.request(
            method, self.server.origin + path, json=body, headers=dict(headers or {}), trust_env=False, timeout=30
        )
        self.answers.append((f"{method} {path}", answer.content + json.dumps(dict(answer.headers)).encode()))
        return answer.status_code

    def post(self, path: str, fields: Mapping[str, str], *, sign: bool = True) -> int:
        """Post a webhook, signed or not, and keep the answer where it is none that connects a call."""
        url = self.server.origin + path
        signed = signature(DEMO_TOKEN, url, fields) if sign else "forged"
        headers = {"X-Twilio-Signature": signed}
        answer = httpx.post(url, data=dict(fields), headers=headers, trust_env=False, timeout=30)
        if answer.status_code != httpx.codes.OK:
            self.answers.append((f"POST {path}", answer.content))
        return answer.status_code

    def report(self, target: str, call_id: str, line: str, **more: object) -> list[dict[str, dict[str, str]]]:
        """Post what the SIP bridge would post, and return the steps; their numbers are the caller's to dial."""
        report = {"version": 1, "call": call_id, "attempt": "7741", "caller": CALLER, "callee": line, **more}
        body = json.dumps(report).encode()
        signed = sign(SIP_SECRET, target, body, utc_now())
        answer = httpx.post(
            self.server.origin + target, content=body, headers={HEADER: signed}, trust_env=False, timeout=30
        )
        if answer.status_code != httpx.codes.OK:
            self.answers.append((f"POST {target.partition('?')[0]}", answer.content))
            return []
        return list(answer.json()["steps"])

    def command(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command in a process of its own and keep what it says besides its result."""
        done = run({**self.server.env, "NOTICE_GATEWAY_LOG_LEVEL": "debug"}, *arguments)
        assert done.returncode == exit_code, done.stderr
        self.terminals.append(done.stderr)
        return done.stdout


def calls_without_an_order(cage: Cage) -> None:
    assert cage.twilio.call(Script(callee=FREE, caller=CALLER)).connected_to == FREE


def call_of_an_organisation(cage: Cage) -> None:
    record = cage.twilio.call(Script(callee=PUBLIC, caller=CALLER, presses=(Press(party="caller", prompt=0, key="5"),)))
    assert len(record.caller_heard) == 1


def keys_of_a_person(cage: Cage) -> None:
    for line, keys in ((ACKNOWLEDGED, "12"), (CONTESTED, "13"), (WRONG, "9")):
        presses = tuple(Press(party="callee", prompt=number, key=key) for number, key in enumerate(keys))
        record = cage.twilio.call(Script(callee=line, caller=CALLER, presses=presses))
        assert len(record.callee_heard) >= len(keys)


def refused_signatures(cage: Cage) -> None:
    assert cage.post("/twilio/call", arriving(PUBLIC, caller=CALLER), sign=False) == httpx.codes.FORBIDDEN
    assert (
        cage.post(f"/twilio/call?to={WRONG[1:]}", arriving(WRONG, caller=CALLER), sign=False) == httpx.codes.FORBIDDEN
    )


def bad_tokens_and_parameters(cage: Cage) -> None:
    for path in (f"/twilio/heard?t={WRONG[1:]}", "/twilio/key?t=forged", "/twilio/whisper"):
        cage.post(path, {**arriving(WRONG, caller=CALLER), "Digits": "9"})
    cage.post("/twilio/call", {**arriving(f"sip:{FREE}@{PERSON}", caller=PERSON), "CallSid": f"{CASE} {PERSON}"})
    cage.post(f"/twilio/{FREE}", arriving(FREE))
    cage.post(f"/prompts/{FREE}.wav", {"name": PERSON})


def calls_over_sip(cage: Cage) -> None:
    """A telephone chooses its Call-ID: some put the number or a name into it."""
    for line in (PUBLIC, FREE, CONTESTED):
        call_id = f"{line}-{PERSON}@{CALLER}.example.org"
        steps = cage.report("/sip/call", call_id, line)
        assert any("connect" in step for step in steps)
        told = [str(value) for step in steps for part in step.values() for value in part.values()]
        assert given_away(" ".join(each for each in told if "?t=" in each).encode()) == []
        for target in (each for each in told if "?t=" in each):
            cage.report(target, call_id, line, key="1", heard_ms=900)
        cage.report("/sip/status", call_id, line, outcome="completed")
    for wrong in ({"callee": PERSON}, {"call": [PERSON]}, {"attempt": CASE}, {"mark": FREE}, {"outcome": PERSON}):
        cage.report("/sip/call", f"{CASE} {PERSON}", FREE, **wrong)
    assert cage.post("/sip/call", {"call": CALLER, "callee": PERSON}, sign=False) == httpx.codes.FORBIDDEN


def database_away(cage: Cage) -> None:
    """Where the database is a file, take it away for a few calls; the screen still knows the lines."""
    path = cage.server.settings.sqlite_path
    if cage.server.settings.database_url:
        return
    away = path.with_name("away")
    path.rename(away)
    try:
        for line in (PUBLIC, WRONG, FREE):
            assert cage.twilio.call(Script(callee=line, caller=CALLER)).connected_to == line
    finally:
        away.rename(path)


def a_draft_for_the_api() -> dict[str, object]:
    return {
        "court": "lakeside",
        "district": "lakeside-north",
        "case_number": CASE,
        "subject": {"kind": "natural_person", "name": PERSON},
        "lines": [{"number": FREE, "zone": "Europe/London"}],
        "legal_basis": LAW,
        "document_sha256": "0" * 64,
        "valid_days": 30,
    }


def api_requests(cage: Cage) -> None:
    rights = ("orders:read", "orders:draft", "orders:end", "disputes:read", "plays:read", "audit:read", "courts:read")
    given = [part for right in rights for part in ("--right", right)]
    token = cage.command("api-keys", "issue", "--name", "canary", *given, "--at", "everywhere").split()[-1]
    signed_in = {"Authorization": f"Bearer {token}"}
    draft = a_draft_for_the_api()
    for wrong in (
        draft,
        {**draft, "lines": [{"number": FREE + "00000000"}]},
        {**draft, "lines": [{"number": FREE, "zone": PERSON}]},
        {**draft, "subject": {"kind": "organisation", "name": FIRM, "identifier": {"scheme": "ein", "value": FREE}}},
        {**draft, "court": PERSON, "district": FREE},
        {**draft, "valid_days": CASE},
        [PERSON],
    ):
        assert cage.ask("POST", "/api/v1/orders", wrong) == httpx.codes.UNAUTHORIZED
        assert cage.ask("POST", "/api/v1/orders", wrong, signed_in) >= httpx.codes.BAD_REQUEST
    for path in (
        "/api/v1/orders/ord_unknown",
        f"/api/v1/orders?line={FREE[1:]}&case_number={CASE}",
        f"/api/v1/{PERSON}",
        f"/api/v1/orders?state={PERSON}&after={FREE[1:]}",
    ):
        cage.ask("GET", path, headers=signed_in)
    cage.ask("POST", "/api/v1/orders/search", {"case_number": 7741, "line": f"{FREE}x"}, signed_in)
    cage.ask("POST", "/api/v1/sessions", {"login": PERSON, "password": CASE, "code": FREE})
    cage.ask("GET", "/api/v1/orders", headers={"Authorization": f"Bearer {PERSON} {FREE}"})


def commands_that_are_refused(cage: Cage) -> None:
    cage.command("orders", "lift", "ord_unknown", exit_code=1)
    cage.command("orders", "suspend", "ord_unknown", exit_code=1)
    cage.command("restore", str(cage.server.folder / "none.tar"), exit_code=1)


def commands_of_the_office(cage: Cage) -> None:
    cage.command("orders", "list")
    cage.command("subject-access", WRONG)
    cage.command("audit", "verify")
    cage.command("doctor", exit_code=0)


def rotation_and_retention(cage: Cage) -> None:
    cage.command("keys", "rotate", "--settle", "0.6")
    cage.command("keys", "list")
    cage.command("retention", "run")


PATHS: Sequence[Callable[[Cage], None]] = (
    calls_without_an_order,
    call_of_an_organisation,
    keys_of_a_person,
    refused_signatures,
    bad_tokens_and_parameters,
    calls_over_sip,
    database_away,
    api_requests,
    commands_that_are_refused,
    commands_of_the_office,
    rotation_and_retention,
)


def issue(office: Parts, subject: Subject, case_number: str, line: str) -> None:
    now = utc_now()
    draft = OrderDraft(
        court_id="lakeside",
        district_id="lakeside-north",
        case_number=case_number,
        subject=subject,
        lines=(Line(number=E164(line), zone=an_open_zone(now), evidence=f"{PERSON} answers {FREE}"),),
        authority=Authority(legal_basis=LAW, document_sha256="0" * 64),
        officers=Officers(added_by="clerk", approved_by="judge"),
        valid_for=timedelta(days=30),
        wanted=Wanted(languages=("en",), content={"en": Text(text=SPOKEN)}),
    )
    began = now - timedelta(days=4) if isinstance(subject, Organisation) else now
    issue_order(a_studio(office), draft, at_the_command_line(began))


@pytest.fixture
def cage(demo_settings: Settings, tmp_path: Path) -> Iterator[Cage]:
    """A real gateway over the demo, on each database, with orders about the canary in it."""
    office = put_together(demo_settings)
    firm = Organisation(name=FIRM, identifier=read_identifier("ein", "12-3456785", "Inc."))
    issue(office, firm, CASE, PUBLIC)
    for line in (ACKNOWLEDGED, CONTESTED, WRONG):
        issue(office, NaturalPerson(name=PERSON), f"{CASE}-{line[-1]}", line)
    with serving(
        demo_settings.data_dir,
        tmp_path / "home",
        log_level="debug",
        database_url=demo_settings.database_url,
        sip_secret=SIP_SECRET,
    ) as server:
        twilio = server.twilio()
        yield Cage(server=server, office=office, twilio=twilio)
        twilio.client.close()
    office.close()


def spellings() -> Mapping[str, tuple[bytes, ...]]:
    """Return each secret with the bytes that would give it away: as it is, in JSON, and in hexadecimal."""
    found: dict[str, tuple[bytes, ...]] = {}
    for number in NUMBERS:
        # Without its country code, as people write it.
        plain = number[3:].encode()
        found[number] = (plain, plain.hex().encode())
    for word in WORDS:
        plain = word.encode()
        found[word] = (plain, plain.lower(), plain.hex().encode(), json.dumps(word)[1:-1].encode())
    found["Fernsby"] = (b"fernsby", b"Fernsby", b"Fernsby".hex().encode())
    return found


def given_away(text: bytes, *, but: Sequence[str] = ()) -> list[str]:
    """Return the secrets in `text`. A digest may hold any digits by chance and is no spelling of a number."""
    without_digests = _HEX.sub(b"", text)
    return [
        secret
        for secret, spelt in spellings().items()
        if secret not in but and any(each in without_digests for each in spelt)
    ]


def dump(cage: Cage, request: pytest.FixtureRequest) -> bytes:
    url = cage.server.settings.database_url
    if not url:
        files = sorted(cage.server.folder.glob("register.sqlite3*"))
        assert any(path.name.endswith("-wal") for path in files)
        return b"".join(path.read_bytes() for path in files)
    postgres: Postgres = request.getfixturevalue("postgres")
    return subprocess.run([postgres.programs / "pg_dump", url], check=True, capture_output=True).stdout


def test_no_path_gives_the_canary_away(cage: Cage, request: pytest.FixtureRequest) -> None:
    for path in PATHS:
        path(cage)
    with cage.office.studio.engine.connect() as connection:
        told = [str(tuple(row)) for row in connection.execute(select(trail))]
        sent = list(connection.execute(select(messages.c.body)).scalars())
    log = cage.server.log.read_bytes()
    places = {
        "log": log,
        "metrics": cage.server.get("/metrics").content,
        **{f"answer {number} to {asked}": answer for number, (asked, answer) in enumerate(cage.answers)},
        "terminals": "\n".join(cage.terminals).encode(),
        "trail": "\n".join(told).encode(),
        "outbox": "\n".join(sent).encode(),
        "database": dump(cage, request),
    }
    assert {name: given_away(text) for name, text in places.items() if given_away(text)} == {}
    assert log.count(b'"webhook"') > 20
    assert len(cage.answers) > 20
    assert len(told) > 10
    assert any("dispute.opened" in body for body in sent)
    assert len(places["database"]) > 100_000


@pytest.mark.parametrize("asked", ["kind", "id"])
def test_the_api_does_not_quote_what_was_put_in_the_wrong_place(sqlite_telephone: Telephone, asked: str) -> None:
    running: Running = sqlite_telephone.app.extensions["notice_gateway"]
    draft = KeyDraft(
        name="canary",
        rights=frozenset({Right.ORDERS_DRAFT, Right.ORDERS_READ}),
        scope=Everywhere(),
        expires_at=utc_now() + timedelta(days=1),
    )
    issued = issue_api_key(running.parts.people_desk(), at_the_command_line(utc_now()), draft)
    headers = {"Authorization": f"Bearer {issued.token}"}
    client = sqlite_telephone.app.test_client()
    if asked == "kind":
        body = {**a_draft_for_the_api(), "subject": {"kind": PERSON, "name": PERSON}}
        answer = client.post("/api/v1/orders", json=body, headers=headers)
    else:
        answer = client.get(f"/api/v1/orders/{FREE[1:]}", headers=headers)
    assert answer.status_code in {404, 422}
    assert given_away(answer.data) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for number in NUMBERS:
        assert given_away(f"call to {number}".encode()) == [number]
    assert given_away(b"\\x" + CASE.encode().hex().encode()) == [CASE]
    assert given_away(json.dumps({"name": PERSON}).encode()) == [PERSON, "Fernsby"]
    assert given_away(b"a" * 64) == []
