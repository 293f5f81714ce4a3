"""Enrolment: a code that is good once, and credentials that nobody else learns."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from gateway.domain.errors import GatewayError
from gateway.domain.rights import NotAllowedError, Role
from gateway.people.errors import EnrolmentRefusedError, PersonClosedError, WeakPasswordError, WrongCodeError
from gateway.workflows.change_person import close_person, reset_credentials
from gateway.workflows.enrol import begin_enrolment, enrol_at_console, enrol_with_password
from gateway.workflows.identify import identify
from gateway.workflows.list_people import read_person
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import sign_in
from tests.people.desks import (
    LOGIN,
    NOW,
    PASSWORD,
    STEP,
    Somebody,
    add,
    an_actor,
    at,
    attempt,
    enrol,
    enrolled,
    enter,
    role,
    secret_in,
    trail_of,
)

COMMAND = at().actor


def finish(desk: PeopleDesk, code: str, password: str = PASSWORD, totp_code: str = "") -> str:
    offer = begin_enrolment(desk, code, NOW)
    shown = totp_code or pyotp.TOTP(secret_in(offer.totp_uri)).at(NOW)
    return enrol_with_password(desk, code, offer.ticket, password=password, totp_code=shown, now=NOW)


def test_a_code_lets_its_person_set_a_password_and_an_app_once(desk: PeopleDesk) -> None:
    added = add(desk)
    assert added.enrolment_code.startswith("cne_")
    assert added.enrolment_code not in repr(added)
    ada = enrol(desk, added.enrolment_code, LOGIN, NOW)
    assert ada.person_id == added.person.person_id
    enter(desk, ada, NOW + STEP)
    for again in (begin_enrolment, lambda d, c, n: enrol(d, c, LOGIN, n)):
        with pytest.raises(EnrolmentRefusedError):
            again(desk, added.enrolment_code, NOW)
    person = read_person(desk, COMMAND, ada.person_id)
    assert person.has_password
    assert person.enrolment_until is None
    assert trail_of(desk, ada.person_id)[:2] == ["people:person:added", "people:credential:changed"]


def test_the_code_that_enrolled_an_app_signs_nobody_in(desk: PeopleDesk) -> None:
    ada = enrol(desk, add(desk).enrolment_code, LOGIN, NOW)
    with pytest.raises(GatewayError) as refused:
        enter(desk, ada, NOW)
    assert refused.value.code == "wrong_credentials"


def test_a_code_lasts_72_hours(desk: PeopleDesk) -> None:
    code = add(desk).enrolment_code
    begin_enrolment(desk, code, NOW + timedelta(hours=71))
    with pytest.raises(EnrolmentRefusedError):
        begin_enrolment(desk, code, NOW + timedelta(hours=72))


def test_what_is_wrong_leaves_the_code_good(desk: PeopleDesk) -> None:
    code = add(desk).enrolment_code
    with pytest.raises(WeakPasswordError):
        finish(desk, code, password="short")
    with pytest.raises(WeakPasswordError):
        finish(desk, code, password=LOGIN)
    with pytest.raises(WrongCodeError):
        finish(desk, code, totp_code="12345")
    assert finish(desk, code)


def test_a_made_up_code_enrols_nobody(desk: PeopleDesk) -> None:
    add(desk)
    for code in ("", "cne_", "cne_x", "\u00e9", "cns_something"):
        with pytest.raises(EnrolmentRefusedError):
            begin_enrolment(desk, code, NOW)


def test_a_ticket_works_for_its_own_person_only_and_not_for_long(desk: PeopleDesk) -> None:
    ada, eve = add(desk), add(desk, login="eve@example.org")
    offer = begin_enrolment(desk, eve.enrolment_code, NOW)
    code = pyotp.TOTP(secret_in(offer.totp_uri)).at(NOW)
    for ticket, now in ((offer.ticket, NOW), ("forged", NOW), ("", NOW), (offer.ticket, NOW + timedelta(minutes=10))):
        whose = ada if now == NOW else eve
        with pytest.raises(EnrolmentRefusedError):
            enrol_with_password(desk, whose.enrolment_code, ticket, password=PASSWORD, totp_code=code, now=now)


def test_of_two_who_bring_a_code_at_once_one_enrols(desk: PeopleDesk) -> None:
    code = add(desk).enrolment_code

    def try_it(_: int) -> bool:
        try:
            finish(desk, code)
        except EnrolmentRefusedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_it, range(2))) == [False, True]


def test_a_reset_ends_the_old_credentials_and_sessions_and_gives_a_new_code(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    token = enter(desk, ada).token
    first = reset_credentials(desk, at(), ada.person_id)
    second = reset_credentials(desk, at(), ada.person_id)
    with pytest.raises(GatewayError):
        identify(desk, token, NOW)
    with pytest.raises(GatewayError):
        sign_in(desk, attempt(totp_code=ada.code(NOW + STEP)), NOW + STEP)
    with pytest.raises(EnrolmentRefusedError):
        begin_enrolment(desk, first, NOW)
    enter(desk, enrol(desk, second, LOGIN, NOW), NOW + STEP)


def test_who_is_closed_enrols_no_more(desk: PeopleDesk) -> None:
    added = add(desk)
    close_person(desk, at(), added.person.person_id, revoke_keys=False)
    with pytest.raises(EnrolmentRefusedError):
        begin_enrolment(desk, added.enrolment_code, NOW)
    with pytest.raises(PersonClosedError):
        reset_credentials(desk, at(), added.person.person_id)


def test_at_the_console_a_password_is_set_at_once_and_the_next_code_signs_in(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK))
    token = enter(desk, ada).token
    uri = enrol_at_console(desk, at(), ada.person_id, "another phrase, and a long one")
    with pytest.raises(GatewayError):
        identify(desk, token, NOW)
    with pytest.raises(GatewayError):
        enter(desk, ada, NOW)
    again = Somebody(person_id=ada.person_id, login=LOGIN, secret=secret_in(uri))
    tried = attempt(password="another phrase, and a long one", totp_code=again.code(NOW))
    assert sign_in(desk, tried, NOW).person_id == ada.person_id
    with pytest.raises(NotAllowedError):
        enrol_at_console(desk, at(actor=an_actor(role(Role.CLERK))), ada.person_id, PASSWORD)
    with pytest.raises(WeakPasswordError):
        enrol_at_console(desk, at(), ada.person_id, "short")
