"""A people's desk over the demo's courts, and people in it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
from argon2 import PasswordHasher
from sqlalchemy import select

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.domain.rights import COMMAND_LINE, Actor, ActorKind, Everywhere, InCourt, InDistrict, Role, Scope
from gateway.people import roles
from gateway.people.passwords import Passwords
from gateway.people.roles import RoleHeld
from gateway.people.sessions import Opened
from gateway.workflows.add_person import Added, PersonDraft, add_person
from gateway.workflows.change import Errand
from gateway.workflows.enrol import begin_enrolment, enrol_with_password
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import PasswordAttempt, sign_in

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ORIGIN = "https://gateway.example.org"
LOGIN, NAME, PASSWORD = "ada@example.org", "Ada Example", "correct horse battery staple"
ADDRESS = "192.0.2.7"
LAKESIDE, THAMESIDE = InCourt(court_id="lakeside"), InCourt(court_id="thameside")
NORTH = InDistrict(court_id="lakeside", district_id="lakeside-north")
EVERYWHERE = Everywhere()
STEP = timedelta(seconds=30)


def cheap() -> PasswordHasher:
    """Return argon2id with the least work, for tests that hash often."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def a_desk(parts: Parts, argon: PasswordHasher | None = None) -> PeopleDesk:
    desk = PeopleDesk.over(
        engine=parts.studio.engine,
        reading=parts.reading,
        noting=parts.calls,
        keys=parts.keys,
        public_origin=ORIGIN,
    )
    return replace(desk, passwords=Passwords(argon or cheap()))


def at(now: datetime = NOW, actor: Actor = COMMAND_LINE) -> Errand:
    return Errand(actor=actor, at=now)


def role(name: Role, scope: Scope = LAKESIDE) -> RoleHeld:
    return RoleHeld(role=name, scope=scope)


def an_actor(*held: RoleHeld, actor_id: str = "per_somebody") -> Actor:
    return Actor(actor_id=actor_id, kind=ActorKind.PERSON, grants=roles.grants(held))


def add(desk: PeopleDesk, *held: RoleHeld, login: str = LOGIN, name: str = NAME, oidc: bool = False) -> Added:
    return add_person(desk, at(), PersonDraft(login=login, name=name, roles=held, oidc_allowed=oidc))


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """A person who has enrolled, with the authenticator app."""

    person_id: str
    login: str
    secret: str

    def code(self, now: datetime) -> str:
        return pyotp.TOTP(self.secret).at(now)


def enrolled(desk: PeopleDesk, *held: RoleHeld, login: str = LOGIN, now: datetime = NOW) -> Somebody:
    """Return somebody who enrolled long enough ago for the next code to be a new one."""
    earlier = now - timedelta(minutes=10)
    added = add(desk, *held, login=login)
    return enrol(desk, added.enrolment_code, login, earlier)


def enrol(desk: PeopleDesk, enrolment_code: str, login: str, now: datetime) -> Somebody:
    offer = begin_enrolment(desk, enrolment_code, now)
    secret = secret_in(offer.totp_uri)
    person_id = enrol_with_password(
        desk,
        enrolment_code,
        offer.ticket,
        password=PASSWORD,
        totp_code=pyotp.TOTP(secret).at(now),
        now=now,
    )
    return Somebody(person_id=person_id, login=login, secret=secret)


def secret_in(uri: str) -> str:
    return parse_qs(urlsplit(uri).query)["secret"][0]


def attempt(
    login: str = LOGIN, password: str = PASSWORD, totp_code: str = "000000", address: str = ADDRESS
) -> PasswordAttempt:
    return PasswordAttempt(login=login, password=password, totp_code=totp_code, address=address)


def enter(desk: PeopleDesk, who: Somebody, now: datetime = NOW) -> Opened:
    """Sign somebody in."""
    return sign_in(desk, attempt(login=who.login, totp_code=who.code(now)), now)


def trail_of(desk: PeopleDesk, subject_id: str) -> list[str]:
    """Return the tags of what the trail tells of somebody or something, oldest first."""
    with desk.engine.connect() as connection:
        return list(
            connection.execute(
                select(trail.c.tag).where(trail.c.subject_id == subject_id).order_by(trail.c.seq)
            ).scalars()
        )
