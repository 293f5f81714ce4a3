"""Builders: an API over real rooms, people signed in to it without the cost of a password, orders in any state."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.api.v1.app import make_api
from gateway.api.v1.desk import Desk
from gateway.assembly import Parts
from gateway.clock import utc_now
from gateway.domain.court import Court, District
from gateway.domain.rights import Everywhere, InCourt, InDistrict, Right, Role, Scope
from gateway.people import sessions
from gateway.people.api_keys import KeyDraft
from gateway.people.roles import RoleHeld
from gateway.people.sessions import Method
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change import at_the_command_line
from gateway.workflows.issue_api_key import issue_api_key
from gateway.workflows.office import Office
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.set_up_court import add_court, add_district
from tests.conftest import a_studio

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
V1 = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed in: their id, and a client that carries their token."""

    person_id: str
    token: str
    client: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(V1 + path, headers=self._headers(headers))

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.client.post(V1 + path, json={} if body is None else body, headers=self._headers(headers))

    def patch(self, path: str, body: object, **headers: str) -> TestResponse:
        return self.client.patch(V1 + path, json=body, headers=self._headers(headers))

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.client.delete(V1 + path, headers=self._headers(headers))

    def send(
        self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        return self.client.open(V1 + path, method=method, data=data, headers=self._headers(headers or {}))

    def upload(self, path: str, field: str, content: bytes, form: Mapping[str, str] | None = None) -> TestResponse:
        data = {field: (io.BytesIO(content), "file.bin"), **(form or {})}
        return self.client.post(V1 + path, data=data, headers=self._headers({}))

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): value for name, value in more.items()
        }


@dataclass(frozen=True, kw_only=True)
class Registry:
    """An API, and what a test needs to set it up: people, courts, orders."""

    parts: Parts
    desk: Desk

    @cached_property
    def api(self) -> APIFlask:
        """The API itself, made when it is first asked for: the console's tests mostly do without."""
        return make_api(self.desk)

    @property
    def client(self) -> FlaskClient:
        return self.api.test_client()

    def somebody(self, *roles: Role, scope: Scope | None = None) -> Person:
        """Return somebody with roles in a place, with an open session."""
        now = utc_now()
        held = tuple(RoleHeld(role=role, scope=scope or Everywhere()) for role in roles)
        draft = PersonDraft(login=f"{uuid4().hex}@example.org", name="Somebody", roles=held)
        person_id = add_person(self.desk.people, at_the_command_line(now), draft).person.person_id
        with self.desk.office.engine.begin() as connection:
            opened = sessions.open_(connection, self.desk.keys, person_id, Method.PASSWORD, now)
        return Person(person_id=person_id, token=opened.token, client=self.client)

    def everybody_in_one(self) -> Person:
        """Return somebody who has every role everywhere."""
        return self.somebody(*Role)

    def a_program(self, rights: Iterable[Right], scope: Scope | None = None) -> Person:
        """Return a program with an API key."""
        now = utc_now()
        draft = KeyDraft(
            name="A program", rights=frozenset(rights), scope=scope or Everywhere(), expires_at=now + timedelta(days=1)
        )
        issued = issue_api_key(self.desk.people, at_the_command_line(now), draft)
        return Person(person_id=issued.key.key_id, token=issued.token, client=self.client)

    def a_court(self, court_id: str = "hillside") -> str:
        """Add a court with one district, `<court>-one`, and return its id."""
        office, errand = self.desk.office, at_the_command_line(utc_now())
        add_court(
            office.engine, office.keys, Court(court_id=court_id, name="Hillside Court", zone="Europe/London"), errand
        )
        self.a_district(court_id, f"{court_id}-one")
        return court_id

    def a_district(self, court_id: str, district_id: str, parent_id: str | None = None) -> str:
        """Add a district."""
        office, errand = self.desk.office, at_the_command_line(utc_now())
        district = District(
            district_id=district_id, court_id=court_id, name="One", parent_id=parent_id, enabled=True, reason=""
        )
        add_district(office.engine, office.keys, district, errand)
        return district_id

    def a_document(self, court_id: str, content: bytes = PDF, by: Person | None = None) -> str:
        """Upload an authority document and return its SHA-256."""
        clerk = by or self.somebody(Role.CLERK)
        answer = clerk.upload(f"/courts/{court_id}/documents", "document", content)
        assert answer.status_code == 201, answer.text
        return str(answer.json["sha256"] if answer.json else "")

    def an_order(self, court_id: str, **changes: object) -> dict[str, Any]:
        """Return the body that drafts an order about an organisation in a court."""
        return an_order(
            court_id, document_sha256=changes.pop("document_sha256", "") or self.a_document(court_id), **changes
        )

    def a_draft(self, court_id: str, clerk: Person | None = None, **changes: object) -> str:
        """Draft an order and return its id."""
        answer = (clerk or self.somebody(Role.CLERK)).post("/orders", self.an_order(court_id, **changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"] if answer.json else "")

    def an_approved_order(self, court_id: str, **changes: object) -> str:
        """Draft, submit and approve an order, and return its id."""
        clerk, approver = self.somebody(Role.CLERK), self.somebody(Role.APPROVER)
        order_id = self.a_draft(court_id, clerk, **changes)
        submitted = clerk.post(f"/orders/{order_id}/submit")
        assert submitted.status_code == 200, submitted.text
        approved = approver.post(f"/orders/{order_id}/approve", **{"If-Match": submitted.headers["ETag"]})
        assert approved.status_code == 200, approved.text
        return order_id


def a_registry(parts: Parts) -> Registry:
    """Return an API over real parts, with a voice that hums."""
    office = Office(studio=a_studio(parts, seconds=1.0), vault=parts.vault, reading=parts.reading)
    people = PeopleDesk.over(
        engine=office.engine,
        reading=office.reading,
        noting=parts.calls,
        keys=office.keys,
        public_origin=parts.settings.public_origin,
    )
    desk = Desk(office=office, people=people)
    return Registry(parts=parts, desk=desk)


def an_order(court_id: str, **changes: object) -> dict[str, Any]:
    """Return the body that drafts an order."""
    return {
        "court": court_id,
        "district": f"{court_id}-one",
        "case_number": f"HC-{uuid4().hex[:10]}",
        "subject": {
            "kind": "organisation",
            "name": "Example Trading Ltd",
            "identifier": {"scheme": "company_gb", "value": "01234567"},
        },
        "lines": [{"number": "+442079460110", "zone": "Europe/London", "evidence": "https://example.com/contact"}],
        "legal_basis": "Section 12 of the Act",
        "document_sha256": "0" * 64,
        "valid_days": 90,
    } | changes


def a_person_order(court_id: str, **changes: object) -> dict[str, Any]:
    """Return the body that drafts an order about a natural person."""
    return an_order(court_id, subject={"kind": "natural_person", "name": "Canary Person"}) | changes


def in_court(court_id: str) -> Scope:
    return InCourt(court_id=court_id)


def in_district(court_id: str, district_id: str) -> Scope:
    return InDistrict(court_id=court_id, district_id=district_id)


def soon(now: datetime, days: int = 30) -> str:
    return (now + timedelta(days=days)).isoformat()
