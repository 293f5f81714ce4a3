"""Signing in with a password and a code: what opens a session, and what everybody else is told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from gateway.assembly import Parts, put_together
from gateway.domain.errors import GatewayError
from gateway.domain.rights import NotAllowedError, Role
from gateway.people.errors import NotSignedInError, TooManyAttemptsError, UnknownPersonError, WrongCredentialsError
from gateway.people.passwords import Passwords
from gateway.people.throttle import FREE, Kind
from gateway.workflows.change_person import close_person, reset_credentials
from gateway.workflows.identify import identify
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import PasswordAttempt, sign_in, sign_out, sign_out_everywhere
from tests.people.desks import (
    ADDRESS,
    EVERYWHERE,
    LAKESIDE,
    LOGIN,
    NOW,
    PASSWORD,
    STEP,
    THAMESIDE,
    a_desk,
    add,
    an_actor,
    at,
    attempt,
    cheap,
    enrolled,
    enter,
    role,
    trail_of,
)


def refused(desk: PeopleDesk, tried: PasswordAttempt) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        sign_in(desk, tried, NOW)
    return caught.value


def test_password_and_code_open_a_session_for_twelve_hours(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK))
    opened = enter(desk, ada)
    assert opened.token.startswith("cns_")
    assert opened.token not in repr(opened)
    assert opened.expires_at == NOW + timedelta(hours=12)
    assert identify(desk, opened.token, NOW).actor_id == ada.person_id
    assert trail_of(desk, ada.person_id)[-1] == "people:session:opened"


def test_a_login_is_the_same_however_it_is_typed(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    assert sign_in(desk, attempt(login=" ADA@Example.org ", totp_code=ada.code(NOW)), NOW).person_id == ada.person_id


def test_every_wrong_thing_gets_the_same_answer(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    gone = enrolled(desk, login="gone@example.org")
    close_person(desk, at(), gone.person_id, revoke_keys=False)
    add(desk, login="new@example.org")
    code = ada.code(NOW)
    answers = [
        refused(desk, attempt(password="wrong password here", totp_code=code)),
        refused(desk, attempt(totp_code="123456" if code != "123456" else "654321")),
        refused(desk, attempt(totp_code="")),
        refused(desk, attempt(login="nobody@example.org", totp_code=code)),
        refused(desk, attempt(login="", totp_code=code)),
        refused(desk, attempt(login="\ud800", password="\ud800", totp_code="\ud800")),
        refused(desk, attempt(login="gone@example.org", totp_code=gone.code(NOW))),
        refused(desk, attempt(login="new@example.org", totp_code=code)),
    ]
    assert {(type(each), str(each)) for each in answers} == {(WrongCredentialsError, str(WrongCredentialsError()))}
    assert enter(desk, ada).person_id == ada.person_id


def test_refusals_are_in_the_trail_without_what_was_typed(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    refused(desk, attempt(password="wrong password here"))
    refused(desk, attempt(login="nobody@example.org"))
    assert trail_of(desk, ada.person_id)[-1] == "people:session:refused"
    assert trail_of(desk, "")[-1:] == ["people:session:refused"]


class Counting(PasswordHasher):
    """Counts how often a password is checked and hashed."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.checks, self.hashes = 0, 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        self.checks += 1
        return super().verify(hash, password)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.hashes += 1
        return super().hash(password, salt=salt)


def test_a_login_that_does_not_exist_costs_the_same_work_as_one_that_does(parts: Parts) -> None:
    argon = Counting()
    desk = a_desk(parts, argon)
    ada = enrolled(desk)
    add(desk, login="new@example.org")
    work = []
    for login, code in ((LOGIN, ada.code(NOW)), (LOGIN, "000000"), ("nobody@example.org", ""), ("new@example.org", "")):
        argon.checks = argon.hashes = 0
        refused(desk, attempt(login=login, password="wrong password here", totp_code=code))
        work.append((argon.checks, argon.hashes))
    assert work == [(1, 0)] * 4


def test_a_hash_with_old_parameters_is_renewed_at_the_next_sign_in(parts: Parts) -> None:
    ada = enrolled(a_desk(parts, cheap()))
    stronger = Counting(time_cost=2)
    desk = a_desk(parts, stronger)
    enter(desk, ada)
    assert stronger.hashes == 1
    enter(desk, ada, NOW + STEP)
    assert stronger.hashes == 1


def test_a_code_opens_one_session_and_no_second(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    enter(desk, ada)
    again = refused(desk, attempt(totp_code=ada.code(NOW)))
    assert isinstance(again, WrongCredentialsError)
    with pytest.raises(WrongCredentialsError):
        sign_in(desk, attempt(totp_code=ada.code(NOW - STEP)), NOW)
    enter(desk, ada, NOW + STEP)


def test_one_code_used_in_two_workers_at_once_opens_one_session(parts: Parts, desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    second = put_together(parts.settings)
    desks = (desk, replace(a_desk(second), passwords=Passwords(cheap())))

    def try_it(number: int) -> bool:
        try:
            sign_in(desks[number % 2], attempt(totp_code=ada.code(NOW), address=f"192.0.2.{number}"), NOW)
        except WrongCredentialsError:
            return False
        return True

    try:
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(try_it, range(4))) == 1
    finally:
        second.close()


def test_guessing_is_slowed_down_and_the_right_password_works_after_the_wait(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    for _ in range(5):
        refused(desk, attempt(password="wrong password here"))
    early = refused(desk, attempt(totp_code=ada.code(NOW)))
    assert isinstance(early, TooManyAttemptsError)
    assert early.retry_after == 15
    later = NOW + timedelta(seconds=early.retry_after)
    enter(desk, ada, later)
    # Success forgives what came before.
    for _ in range(4):
        refused_later = attempt(password="wrong password here")
        with pytest.raises(WrongCredentialsError):
            sign_in(desk, refused_later, later)
    enter(desk, ada, later + STEP)


def test_a_login_that_does_not_exist_is_slowed_down_like_one_that_does(desk: PeopleDesk) -> None:
    for _ in range(5):
        refused(desk, attempt(login="nobody@example.org"))
    assert isinstance(refused(desk, attempt(login="nobody@example.org")), TooManyAttemptsError)


def test_an_address_that_tries_many_logins_is_slowed_down_and_others_are_not(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    for number in range(FREE[Kind.ADDRESS]):
        refused(desk, attempt(login=f"person{number}@example.org"))
    assert isinstance(refused(desk, attempt(totp_code=ada.code(NOW))), TooManyAttemptsError)
    elsewhere = attempt(totp_code=ada.code(NOW), address="198.51.100.9")
    assert sign_in(desk, elsewhere, NOW).person_id == ada.person_id


def test_a_reset_between_the_check_and_the_session_opens_none(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    waiting = a_desk_that_resets(desk, ada.person_id)
    with pytest.raises(WrongCredentialsError):
        sign_in(waiting, attempt(totp_code=ada.code(NOW)), NOW)


def a_desk_that_resets(desk: PeopleDesk, person_id: str) -> PeopleDesk:
    """Return a desk at which somebody resets the credentials just when they have been checked."""

    class Resetting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
            right = super().verify(hash, password)
            reset_credentials(desk, at(), person_id)
            return right

    return replace(desk, passwords=Passwords(Resetting(time_cost=1, memory_cost=8, parallelism=1)))


def test_who_signs_out_is_out_and_may_do_so_twice(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    one, other = enter(desk, ada), enter(desk, ada, NOW + STEP)
    sign_out(desk, one.token, NOW + STEP)
    with pytest.raises(NotSignedInError):
        identify(desk, one.token, NOW + STEP)
    sign_out(desk, one.token, NOW + STEP)
    assert identify(desk, other.token, NOW + STEP).actor_id == ada.person_id
    assert trail_of(desk, ada.person_id).count("people:session:closed") == 1
    with pytest.raises(NotSignedInError):
        sign_out(desk, "cnk_0123_key", NOW)


def test_signing_out_everywhere_ends_every_session_of_oneself_or_of_whom_one_manages(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK))
    tokens = [enter(desk, ada, NOW + n * STEP).token for n in range(3)]
    now = NOW + 3 * STEP
    assert sign_out_everywhere(desk, at(now, identify(desk, tokens[0], now)), ada.person_id) == 3
    for token in tokens:
        with pytest.raises(NotSignedInError):
            identify(desk, token, now)
    enter(desk, ada, now)
    manager = an_actor(role(Role.ADMINISTRATOR, LAKESIDE))
    assert sign_out_everywhere(desk, at(now, manager), ada.person_id) == 1
    stranger = an_actor(role(Role.ADMINISTRATOR, THAMESIDE))
    with pytest.raises(UnknownPersonError):
        sign_out_everywhere(desk, at(now, stranger), ada.person_id)
    with pytest.raises(NotAllowedError):
        sign_out_everywhere(desk, at(now, an_actor(role(Role.AUDITOR, EVERYWHERE))), ada.person_id)


def test_no_value_of_an_attempt_shows_in_its_repr(desk: PeopleDesk) -> None:
    shown = repr(attempt(totp_code="314159")) + repr(desk)
    for secret in (LOGIN, PASSWORD, "314159", ADDRESS):
        assert secret not in shown
