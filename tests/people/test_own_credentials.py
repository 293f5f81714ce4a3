"""What somebody who is signed in changes of the own credentials: proven, throttled, told of, never the last way in."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.audit.tables import trail
from gateway.domain.errors import GatewayError
from gateway.domain.rights import COMMAND_LINE, Actor, ActorKind, Role
from gateway.people import links
from gateway.people.errors import (
    NotSignedInError,
    PasskeyRefusedError,
    TooManyAttemptsError,
    WeakPasswordError,
    WrongCredentialsError,
)
from gateway.people.oidc import Identity
from gateway.people.sessions import IDLE, Method, Opened
from gateway.people.throttle import FREE, Kind
from gateway.workflows.change import Errand
from gateway.workflows.enrol import begin_enrolment, enrol_with_passkey
from gateway.workflows.identify import identify
from gateway.workflows.own_credentials import (
    LastWayInError,
    NoPasswordError,
    PasswordChange,
    UnknownPasskeyError,
    UnknownSessionError,
    add_own_passkey,
    begin_own_passkey,
    change_own_password,
    close_own_session,
    list_own_passkeys,
    list_own_sessions,
    remove_own_passkey,
)
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import sign_in
from gateway.workflows.sign_in_passkey import begin_passkey, sign_in_passkey
from tests.people.authenticator import Authenticator
from tests.people.desks import (
    ADDRESS,
    LOGIN,
    NOW,
    PASSWORD,
    STEP,
    Somebody,
    add,
    at,
    attempt,
    enrolled,
    enter,
    role,
    trail_of,
)

NEW = "seven grey herons waiting"
LATER = NOW + STEP


def by(person_id: str) -> Errand:
    return at(LATER, Actor(actor_id=person_id, kind=ActorKind.PERSON, grants=frozenset()))


def typed(who: Somebody, current: str = PASSWORD, new: str = NEW, code: str | None = None) -> PasswordChange:
    return PasswordChange(
        current=current, new=new, totp_code=who.code(LATER) if code is None else code, address=ADDRESS
    )


def enter_with(desk: PeopleDesk, key: Authenticator) -> Opened:
    asked = begin_passkey(desk, LATER)
    return sign_in_passkey(desk, asked.ticket, key.get(asked.options), address=ADDRESS, now=LATER)


def give(desk: PeopleDesk, errand: Errand, key: Authenticator, label: str = "blue key") -> str:
    offer = begin_own_passkey(desk, errand)
    return add_own_passkey(desk, errand, offer.ticket, response=key.create(offer.options), label=label)


def details_of(desk: PeopleDesk, subject_id: str) -> str:
    with desk.engine.connect() as connection:
        told = select(trail.c.details).where(trail.c.subject_id == subject_id).order_by(trail.c.seq.desc())
        return str(connection.execute(told.limit(1)).scalar_one())


def refused(desk: PeopleDesk, who: Somebody, change: PasswordChange, token: str) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        change_own_password(desk, by(who.person_id), change, token)
    return caught.value


def test_a_new_password_opens_and_the_old_one_does_not_while_the_app_stays(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK))
    other, this = enter(desk, ada, NOW - STEP), enter(desk, ada)
    assert change_own_password(desk, by(ada.person_id), typed(ada), this.token) == 1
    assert identify(desk, this.token, LATER).actor_id == ada.person_id
    with pytest.raises(NotSignedInError):
        identify(desk, other.token, LATER)
    assert trail_of(desk, ada.person_id)[-1] == "people:credential:changed"
    assert '"change":"password"' in details_of(desk, ada.person_id)
    after = LATER + STEP
    assert sign_in(desk, attempt(password=NEW, totp_code=ada.code(after)), after).person_id == ada.person_id
    with pytest.raises(WrongCredentialsError):
        sign_in(desk, attempt(totp_code=ada.code(after + STEP)), after + STEP)


def test_a_wrong_password_or_code_changes_nothing_and_is_told_of(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK))
    token = enter(desk, ada).token
    code = ada.code(LATER)
    wrong = (
        typed(ada, current="wrong password here"),
        typed(ada, code="000000" if code != "000000" else "111111"),
        typed(ada, code=ada.code(NOW)),
        typed(ada, current="\ud800", code="\ud800"),
    )
    for each in wrong:
        assert isinstance(refused(desk, ada, each, token), WrongCredentialsError)
        assert trail_of(desk, ada.person_id)[-1] == "people:credential:refused"
    assert change_own_password(desk, by(ada.person_id), typed(ada), token) == 0


def test_guessing_at_an_open_browser_is_slowed_down_as_a_sign_in_is(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    token = enter(desk, ada).token
    for _ in range(FREE[Kind.LOGIN]):
        assert isinstance(refused(desk, ada, typed(ada, current="wrong password here"), token), WrongCredentialsError)
    assert isinstance(refused(desk, ada, typed(ada), token), TooManyAttemptsError)
    with pytest.raises(TooManyAttemptsError):
        sign_in(desk, attempt(totp_code=ada.code(LATER)), LATER)


@pytest.mark.parametrize("new", ["short", LOGIN, "aaaaaaaaaaaaaaaa", PASSWORD])
def test_a_password_that_is_weak_or_the_present_one_is_refused_and_is_no_attempt(desk: PeopleDesk, new: str) -> None:
    ada = enrolled(desk)
    token = enter(desk, ada).token
    for _ in range(FREE[Kind.LOGIN] + 1):
        assert isinstance(refused(desk, ada, typed(ada, new=new), token), WeakPasswordError)
    assert change_own_password(desk, by(ada.person_id), typed(ada), token) == 0


def test_a_code_that_changed_a_password_signs_nobody_in(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    change_own_password(desk, by(ada.person_id), typed(ada), enter(desk, ada).token)
    with pytest.raises(WrongCredentialsError):
        sign_in(desk, attempt(password=NEW, totp_code=ada.code(LATER)), LATER)


def test_whose_session_it_is_not_changes_and_sees_nothing(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    ben = enrolled(desk, login="ben@example.org")
    token = enter(desk, ben).token
    mine = enter(desk, ada)
    give(desk, by(ada.person_id), Authenticator())
    passkey = list_own_passkeys(desk, by(ada.person_id))[0].passkey_id
    assert isinstance(refused(desk, ada, typed(ada), token), NotSignedInError)
    for nobody in ("", "cns_nobody", "cnk_0123_secret", token):
        with pytest.raises(NotSignedInError):
            list_own_sessions(desk, by(ada.person_id), nobody)
        with pytest.raises(NotSignedInError):
            remove_own_passkey(desk, by(ada.person_id), passkey, nobody)
    with pytest.raises(UnknownPasskeyError):
        remove_own_passkey(desk, by(ben.person_id), passkey, token)
    with pytest.raises(UnknownSessionError):
        close_own_session(desk, by(ben.person_id), mine.session_id)
    assert len(list_own_passkeys(desk, by(ada.person_id))) == 1
    assert identify(desk, mine.token, LATER).actor_id == ada.person_id


def test_programs_and_the_command_line_have_no_credentials_of_their_own(desk: PeopleDesk) -> None:
    program = Actor(actor_id="key_1", kind=ActorKind.API_KEY, grants=frozenset())
    for actor in (program, COMMAND_LINE):
        for ask in (begin_own_passkey, list_own_passkeys):
            with pytest.raises(NotSignedInError):
                ask(desk, at(LATER, actor))


def test_a_passkey_is_added_beside_the_password_and_opens_the_account(desk: PeopleDesk) -> None:
    ada, key = enrolled(desk, role(Role.CLERK)), Authenticator()
    other = enter(desk, ada)
    passkey_id = give(desk, by(ada.person_id), key)
    assert enter_with(desk, key).person_id == ada.person_id
    assert identify(desk, other.token, LATER).actor_id == ada.person_id
    (listed,) = list_own_passkeys(desk, by(ada.person_id))
    assert (listed.passkey_id, listed.label, listed.added_at) == (passkey_id, "blue key", LATER)
    assert "blue" not in repr(listed)
    assert "people:credential:changed" in trail_of(desk, ada.person_id)


def test_a_passkey_is_added_once_for_who_asked_and_in_time(desk: PeopleDesk) -> None:
    ada, ben = enrolled(desk), enrolled(desk, login="ben@example.org")
    mine, his = by(ada.person_id), by(ben.person_id)
    offer, key = begin_own_passkey(desk, mine), Authenticator()
    response = key.create(offer.options)
    late = replace(mine, at=LATER + timedelta(minutes=11))
    for errand, ticket in ((his, offer.ticket), (late, offer.ticket), (mine, offer.ticket + "x"), (mine, "")):
        with pytest.raises(PasskeyRefusedError):
            add_own_passkey(desk, errand, ticket, response=response, label="")
    add_own_passkey(desk, mine, offer.ticket, response=response, label="")
    for again in (response, Authenticator().create(offer.options)):
        with pytest.raises(PasskeyRefusedError):
            add_own_passkey(desk, mine, offer.ticket, response=again, label="")
    assert len(list_own_passkeys(desk, mine)) == 1
    assert list_own_passkeys(desk, his) == ()


def test_a_removed_passkey_opens_nothing_and_its_sessions_are_over(desk: PeopleDesk) -> None:
    ada, key = enrolled(desk), Authenticator()
    this = enter(desk, ada)
    passkey_id = give(desk, by(ada.person_id), key)
    stolen = enter_with(desk, key)
    assert remove_own_passkey(desk, by(ada.person_id), passkey_id, this.token) == 1
    assert identify(desk, this.token, LATER).actor_id == ada.person_id
    with pytest.raises(NotSignedInError):
        identify(desk, stolen.token, LATER)
    with pytest.raises(PasskeyRefusedError):
        enter_with(desk, key)
    assert '"change":"passkey_removed"' in details_of(desk, ada.person_id)
    with pytest.raises(UnknownPasskeyError):
        remove_own_passkey(desk, by(ada.person_id), passkey_id, this.token)


def a_passkey_person(desk: PeopleDesk, key: Authenticator) -> str:
    added = add(desk, login="eve@example.org")
    offer = begin_enrolment(desk, added.enrolment_code, NOW)
    response = key.create(offer.passkey_options)
    return enrol_with_passkey(desk, added.enrolment_code, offer.ticket, response=response, label="first", now=NOW)


def test_the_last_way_to_sign_in_cannot_be_removed(desk: PeopleDesk) -> None:
    first, second = Authenticator(), Authenticator()
    eve = a_passkey_person(desk, first)
    token = enter_with(desk, first).token
    (only,) = list_own_passkeys(desk, by(eve))
    with pytest.raises(LastWayInError):
        remove_own_passkey(desk, by(eve), only.passkey_id, token)
    assert enter_with(desk, first).person_id == eve
    added = give(desk, by(eve), second, "second")
    remove_own_passkey(desk, by(eve), only.passkey_id, token)
    with pytest.raises(LastWayInError):
        remove_own_passkey(desk, by(eve), added, token)
    with desk.engine.begin() as connection:
        account = Identity(issuer="https://idp.example.org", subject="eve", email="")
        links.link(connection, desk.keys, eve, account, LATER)
    remove_own_passkey(desk, by(eve), added, token)
    assert list_own_passkeys(desk, by(eve)) == ()


def test_who_has_no_password_changes_none(desk: PeopleDesk) -> None:
    key = Authenticator()
    eve = a_passkey_person(desk, key)
    change = PasswordChange(current="", new=NEW, totp_code="000000", address=ADDRESS)
    with pytest.raises(NoPasswordError):
        change_own_password(desk, by(eve), change, enter_with(desk, key).token)


def test_open_sessions_are_listed_with_the_one_that_asks_marked(desk: PeopleDesk) -> None:
    ada, key = enrolled(desk, now=NOW - IDLE), Authenticator()
    enter(desk, ada, NOW - IDLE)
    give(desk, by(ada.person_id), key)
    older, newer = enter(desk, ada), enter_with(desk, key)
    found = list_own_sessions(desk, by(ada.person_id), older.token)
    assert [(each.session.session_id, each.session.method, each.is_this) for each in found] == [
        (newer.session_id, Method.PASSKEY, False),
        (older.session_id, Method.PASSWORD, True),
    ]
    assert (found[1].session.opened_at, found[1].session.expires_at) == (NOW, older.expires_at)


def test_one_session_is_closed_and_the_others_go_on(desk: PeopleDesk) -> None:
    ada, key = enrolled(desk), Authenticator()
    give(desk, by(ada.person_id), key)
    this, lost = enter(desk, ada), enter_with(desk, key)
    close_own_session(desk, by(ada.person_id), lost.session_id)
    assert identify(desk, this.token, LATER).actor_id == ada.person_id
    with pytest.raises(NotSignedInError):
        identify(desk, lost.token, LATER)
    assert trail_of(desk, ada.person_id)[-1] == "people:session:closed"
    with pytest.raises(UnknownSessionError):
        close_own_session(desk, by(ada.person_id), lost.session_id)
