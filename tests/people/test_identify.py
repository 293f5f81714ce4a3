"""Who makes a request: sessions and API keys, and what each may do at this moment."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from gateway.assembly import Parts, put_together
from gateway.domain.errors import GatewayError
from gateway.domain.rights import RIGHTS_OF, ActorKind, Place, Right, Role
from gateway.people import sessions
from gateway.people.api_keys import KeyDraft
from gateway.people.errors import ApiKeyExpiredError, ApiKeyRevokedError, NotSignedInError, SessionExpiredError
from gateway.people.tables import api_keys
from gateway.people.tables import sessions as session_rows
from gateway.workflows.change_person import close_person, give_role, take_role
from gateway.workflows.identify import identify
from gateway.workflows.issue_api_key import issue_api_key, revoke_api_key
from gateway.workflows.people_desk import PeopleDesk
from tests.people.desks import LAKESIDE, NORTH, NOW, STEP, THAMESIDE, a_desk, at, enrolled, enter, role

MINUTE = timedelta(minutes=1)
FORGED = [
    "",
    "cns_",
    "cnk_",
    "cnk__",
    "cnk_0011223344556677_",
    "cns_" + secrets.token_urlsafe(32),
    "cnk_0011223344556677_" + secrets.token_urlsafe(32),
    "Bearer cns_x",
    "cns_" + "x" * 5000,
    "cns_\u00e9",
    "cns_\ud800",
    "cnk_' OR 1=1 --_x",
    "\x00",
]


def a_key(desk: PeopleDesk, *rights: Right, days: int = 30) -> tuple[str, str]:
    draft = KeyDraft(
        name="payments",
        rights=frozenset(rights or {Right.SATISFACTION_REPORT}),
        scope=LAKESIDE,
        expires_at=NOW + timedelta(days=days),
    )
    issued = issue_api_key(desk, at(), draft)
    return issued.key.key_id, issued.token


def test_a_forged_token_is_nobody(desk: PeopleDesk) -> None:
    enter(desk, enrolled(desk))
    a_key(desk)
    for token in FORGED:
        with pytest.raises(NotSignedInError) as refused:
            identify(desk, token, NOW)
        assert refused.value.code == "not_signed_in"


def test_each_token_is_256_random_bits_behind_a_prefix(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    session = enter(desk, ada).token
    key_id, key = a_key(desk)
    assert session.startswith("cns_")
    assert len(session) == len("cns_") + 43
    assert key.startswith(f"cnk_{key_id.removeprefix('key_')}_")
    assert len(key.split("_", 2)[2]) == 43


def test_a_token_that_is_changed_in_one_letter_is_nobody(desk: PeopleDesk) -> None:
    for token in (enter(desk, enrolled(desk)).token, a_key(desk)[1]):
        changed = token[:-1] + ("A" if token[-1] != "A" else "B")
        identify(desk, token, NOW)
        with pytest.raises(NotSignedInError):
            identify(desk, changed, NOW)


def test_a_person_may_do_what_all_roles_together_allow_where_they_are(desk: PeopleDesk) -> None:
    ada = enrolled(desk, role(Role.CLERK, LAKESIDE), role(Role.OPERATOR, NORTH), role(Role.AUDITOR, THAMESIDE))
    actor = identify(desk, enter(desk, ada).token, NOW)
    assert actor.kind is ActorKind.PERSON
    lakeside, thameside = Place(court_id="lakeside"), Place(court_id="thameside")
    north = Place(court_id="lakeside", district_path=("lakeside-north", "lakeside"))
    south = Place(court_id="lakeside", district_path=("lakeside-south", "lakeside"))
    assert actor.may(Right.ORDERS_DRAFT, lakeside)
    assert not actor.may(Right.ORDERS_DRAFT, thameside)
    assert actor.may(Right.DISTRICTS_SWITCH, north)
    assert not actor.may(Right.DISTRICTS_SWITCH, south)
    assert actor.may(Right.AUDIT_READ, thameside)
    assert not actor.may(Right.AUDIT_READ, None)


def test_a_role_given_or_taken_and_an_end_hold_at_the_next_request(desk: PeopleDesk) -> None:
    ada = enrolled(desk)
    token = enter(desk, ada).token
    assert identify(desk, token, NOW).grants == frozenset()
    give_role(desk, at(), ada.person_id, role(Role.CLERK))
    assert {grant.right for grant in identify(desk, token, NOW).grants} == RIGHTS_OF[Role.CLERK]
    take_role(desk, at(), ada.person_id, role(Role.CLERK))
    assert identify(desk, token, NOW).grants == frozenset()
    close_person(desk, at(), ada.person_id, revoke_keys=False)
    with pytest.raises(NotSignedInError):
        identify(desk, token, NOW)


def test_a_session_ends_after_thirty_minutes_without_use(desk: PeopleDesk) -> None:
    token = enter(desk, enrolled(desk)).token
    for minutes in (29, 58, 87):
        identify(desk, token, NOW + minutes * MINUTE)
    with pytest.raises(SessionExpiredError) as expired:
        identify(desk, token, NOW + (87 + 30) * MINUTE)
    assert expired.value.code == "session_expired"


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(desk: PeopleDesk) -> None:
    token = enter(desk, enrolled(desk)).token
    for minutes in range(20, 12 * 60, 20):
        identify(desk, token, NOW + minutes * MINUTE)
    with pytest.raises(SessionExpiredError):
        identify(desk, token, NOW + timedelta(hours=12))


def test_an_api_key_may_do_what_it_was_issued_for_until_it_expires_or_is_revoked(desk: PeopleDesk) -> None:
    key_id, token = a_key(desk, Right.SATISFACTION_REPORT, Right.ORDERS_READ, days=2)
    actor = identify(desk, token, NOW)
    assert (actor.actor_id, actor.kind) == (key_id, ActorKind.API_KEY)
    assert {grant.right for grant in actor.grants} == {Right.SATISFACTION_REPORT, Right.ORDERS_READ}
    assert all(grant.scope == LAKESIDE for grant in actor.grants)
    with pytest.raises(ApiKeyExpiredError) as expired:
        identify(desk, token, NOW + timedelta(days=2))
    assert expired.value.code == "api_key_expired"
    revoke_api_key(desk, at(), key_id)
    with pytest.raises(ApiKeyRevokedError):
        identify(desk, token, NOW)
    with pytest.raises(NotSignedInError):
        identify(desk, token[:-1], NOW)


def test_a_right_that_no_key_may_have_gives_nothing_even_if_it_stands_in_the_database(desk: PeopleDesk) -> None:
    key_id, token = a_key(desk)
    with desk.engine.begin() as connection:
        changed = api_keys.update().where(api_keys.c.key_id == key_id)
        connection.execute(changed.values(rights="orders:approve,orders:read"))
    assert {grant.right for grant in identify(desk, token, NOW).grants} == {Right.ORDERS_READ}


def test_when_a_key_was_last_used_is_known_to_the_hour(desk: PeopleDesk) -> None:
    key_id, token = a_key(desk)
    used = []
    for minutes in (1, 30, 62):
        identify(desk, token, NOW + minutes * MINUTE)
        with desk.engine.connect() as connection:
            used.append(connection.execute(select(api_keys.c.used_at).where(api_keys.c.key_id == key_id)).scalar_one())
    assert used == [NOW + MINUTE, NOW + MINUTE, NOW + 62 * MINUTE]


def test_a_request_costs_one_statement_and_writes_at_most_once_a_minute(desk: PeopleDesk) -> None:
    token = enter(desk, enrolled(desk, role(Role.CLERK))).token
    seen: list[str] = []

    def keep(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement.split(maxsplit=1)[0])

    for engine in (desk.reading, desk.noting, desk.engine):
        event.listen(engine, "before_cursor_execute", keep)
    work = []
    for now in (NOW, NOW + timedelta(seconds=59), NOW + MINUTE, NOW + MINUTE + STEP):
        seen.clear()
        identify(desk, token, now)
        # SQLite's transactions are begun by a statement of ours; PostgreSQL's by its driver.
        work.append([each for each in seen if each != "BEGIN"])
    assert work == [["SELECT"], ["SELECT"], ["SELECT", "UPDATE"], ["SELECT"]]


def test_a_request_goes_on_where_its_use_cannot_be_written(parts: Parts) -> None:
    away = put_together(parts.settings)
    desk = a_desk(parts)
    token = enter(desk, enrolled(desk)).token
    later = NOW + 5 * MINUTE
    with away.studio.engine.begin() as connection:
        # A writer that holds the row, and on SQLite the whole database, for longer than anybody waits.
        connection.execute(session_rows.update().values(method="password"))
        assert identify(desk, token, later).kind is ActorKind.PERSON
    away.close()


def test_sessions_long_over_are_forgotten(desk: PeopleDesk) -> None:
    token = enter(desk, enrolled(desk)).token
    with desk.engine.begin() as connection:
        assert sessions.forget(connection, NOW + timedelta(hours=12)) == 0
        assert sessions.forget(connection, NOW + timedelta(hours=13)) == 1
    with pytest.raises(GatewayError):
        identify(desk, token, NOW)
