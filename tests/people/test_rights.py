"""Who may see and change whom: administrators of everything, of a court, of a district."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.assembly import Parts, put_together
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.domain.rights import Actor, InCourt, InDistrict, NotAllowedError, Role, Scope
from gateway.people.directory import read_login, read_name
from gateway.people.errors import (
    InvalidLoginError,
    InvalidNameError,
    LastAdministratorError,
    PersonClosedError,
    TakenLoginError,
    UnknownPersonError,
    UnknownRoleError,
)
from gateway.people.roles import RoleHeld
from gateway.register.errors import UnknownEntryError
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change_person import (
    PersonEdit,
    change_person,
    close_person,
    give_role,
    reset_credentials,
    take_role,
)
from gateway.workflows.list_people import list_people, person_of_login, read_person
from gateway.workflows.people_desk import PeopleDesk
from tests.people.desks import (
    EVERYWHERE,
    LAKESIDE,
    NAME,
    NORTH,
    NOW,
    THAMESIDE,
    a_desk,
    add,
    an_actor,
    at,
    enrolled,
    role,
    trail_of,
)

ADMINISTRATOR = role(Role.ADMINISTRATOR, EVERYWHERE)
OF_ALL = an_actor(ADMINISTRATOR)
OF_LAKESIDE = an_actor(role(Role.ADMINISTRATOR, LAKESIDE))
OF_NORTH = an_actor(role(Role.ADMINISTRATOR, NORTH))
SOUTH = InDistrict(court_id="lakeside", district_id="lakeside-south")
CLERK = role(Role.CLERK)
NOBODY = (an_actor(), an_actor(role(Role.CLERK, EVERYWHERE)), an_actor(role(Role.AUDITOR, EVERYWHERE)))


def draft(*held: RoleHeld) -> PersonDraft:
    return PersonDraft(login="new@example.org", name="New", roles=held)


@pytest.mark.parametrize(
    ("actor", "held", "error"),
    [
        (OF_LAKESIDE, role(Role.CLERK, EVERYWHERE), NotAllowedError),
        (OF_LAKESIDE, role(Role.CLERK, THAMESIDE), UnknownEntryError),
        (OF_LAKESIDE, role(Role.ADMINISTRATOR, EVERYWHERE), NotAllowedError),
        (OF_NORTH, role(Role.CLERK, LAKESIDE), NotAllowedError),
        (OF_NORTH, role(Role.CLERK, SOUTH), NotAllowedError),
        (OF_ALL, role(Role.CLERK, InCourt(court_id="nowhere")), UnknownEntryError),
        (OF_ALL, role(Role.CLERK, InDistrict(court_id="lakeside", district_id="nowhere")), UnknownEntryError),
        (OF_ALL, role(Role.CLERK, InDistrict(court_id="thameside", district_id="lakeside-north")), UnknownEntryError),
    ],
)
def test_no_role_is_given_beyond_one_s_own_reach(
    desk: PeopleDesk, actor: Actor, held: RoleHeld, error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        add_person(desk, at(actor=actor), draft(CLERK if actor is OF_ALL else role(Role.CLERK, NORTH), held))
    with pytest.raises(GatewayError, match="no person"):
        person_of_login(desk, OF_ALL, "new@example.org")
    within = add(desk, role(Role.CLERK, NORTH)).person
    with pytest.raises(error):
        give_role(desk, at(actor=actor), within.person_id, held)
    assert read_person(desk, OF_ALL, within.person_id).roles == (role(Role.CLERK, NORTH),)


@pytest.mark.parametrize(
    ("actor", "held"),
    [
        (OF_ALL, ADMINISTRATOR),
        (OF_ALL, CLERK),
        (OF_LAKESIDE, role(Role.ADMINISTRATOR, LAKESIDE)),
        (OF_LAKESIDE, role(Role.OPERATOR, SOUTH)),
        (OF_NORTH, role(Role.CLERK, NORTH)),
    ],
)
def test_a_role_within_reach_is_given_and_taken(desk: PeopleDesk, actor: Actor, held: RoleHeld) -> None:
    person = add_person(desk, at(actor=actor), draft()).person
    given = give_role(desk, at(actor=actor), person.person_id, held)
    assert given.roles == (held,)
    assert given.version == person.version + 1
    assert give_role(desk, at(actor=actor), person.person_id, held).version == given.version
    if held != ADMINISTRATOR:
        assert take_role(desk, at(actor=actor), person.person_id, held).roles == ()
        with pytest.raises(UnknownRoleError):
            take_role(desk, at(actor=actor), person.person_id, held)
        assert trail_of(desk, person.person_id)[1:] == ["people:role:given", "people:role:taken"]


def test_who_manages_nobody_does_nothing_to_anybody(desk: PeopleDesk) -> None:
    person_id = add(desk, CLERK).person.person_id
    before = trail_of(desk, person_id)
    for attempt in (
        lambda actor: add_person(desk, at(actor=actor), draft()),
        lambda actor: change_person(desk, at(actor=actor), person_id, PersonEdit(name="Other")),
        lambda actor: give_role(desk, at(actor=actor), person_id, CLERK),
        lambda actor: take_role(desk, at(actor=actor), person_id, CLERK),
        lambda actor: reset_credentials(desk, at(actor=actor), person_id),
        lambda actor: close_person(desk, at(actor=actor), person_id, revoke_keys=True),
        lambda actor: list_people(desk, actor),
        lambda actor: read_person(desk, actor, person_id),
    ):
        for actor in NOBODY:
            with pytest.raises(NotAllowedError):
                attempt(actor)
    assert trail_of(desk, person_id) == before


def test_whom_one_does_not_see_does_not_exist(desk: PeopleDesk) -> None:
    for held in (role(Role.CLERK, THAMESIDE), role(Role.AUDITOR, EVERYWHERE)):
        person_id = add(desk, held, login=f"{held.role.value}@example.org").person.person_id
        for attempt in (
            lambda other=person_id: change_person(desk, at(actor=OF_LAKESIDE), other, PersonEdit(name="Other")),
            lambda other=person_id: give_role(desk, at(actor=OF_LAKESIDE), other, CLERK),
            lambda other=person_id: reset_credentials(desk, at(actor=OF_LAKESIDE), other),
            lambda other=person_id: close_person(desk, at(actor=OF_LAKESIDE), other, revoke_keys=True),
            lambda other=person_id: read_person(desk, OF_LAKESIDE, other),
        ):
            with pytest.raises(UnknownPersonError) as refused:
                attempt()
            assert refused.value.code == "unknown_entry"
    with pytest.raises(UnknownPersonError):
        read_person(desk, OF_ALL, "per_nobody")


@pytest.mark.parametrize("elsewhere", [role(Role.CLERK, THAMESIDE), role(Role.AUDITOR, EVERYWHERE)])
def test_an_account_that_reaches_further_is_seen_but_not_taken_over(desk: PeopleDesk, elsewhere: RoleHeld) -> None:
    person_id = add(desk, CLERK, elsewhere).person.person_id
    assert read_person(desk, OF_LAKESIDE, person_id).person_id == person_id
    for attempt in (
        lambda: change_person(desk, at(actor=OF_LAKESIDE), person_id, PersonEdit(name="Other")),
        lambda: reset_credentials(desk, at(actor=OF_LAKESIDE), person_id),
        lambda: close_person(desk, at(actor=OF_LAKESIDE), person_id, revoke_keys=True),
    ):
        with pytest.raises(NotAllowedError):
            attempt()
    # What lies within one's own reach may still be given and taken.
    assert take_role(desk, at(actor=OF_LAKESIDE), person_id, CLERK).roles == (elsewhere,)


def test_lists_show_whom_one_sees_page_by_page(desk: PeopleDesk) -> None:
    scopes: tuple[Scope, ...] = (LAKESIDE, NORTH, SOUTH, THAMESIDE, EVERYWHERE)
    ids = {
        scope: add(desk, role(Role.CLERK, scope), login=f"p{n}@example.org").person.person_id
        for n, scope in enumerate(scopes)
    }
    own = add_person(desk, at(actor=OF_LAKESIDE), draft()).person.person_id

    def seen(actor: Actor, limit: int = 2) -> list[str]:
        found: list[str] = []
        after = ""
        while True:
            page = list_people(desk, actor, after=after, limit=limit)
            assert len(page.people) <= limit
            found += [each.person_id for each in page.people]
            after = page.next_after
            if not after:
                return [each for each in found if each in {*ids.values(), own}]

    assert seen(OF_ALL) == sorted({*ids.values(), own})
    # Who has no role yet is seen by whoever added them.
    assert seen(OF_LAKESIDE) == sorted([ids[LAKESIDE], ids[NORTH], ids[SOUTH], own])
    other = an_actor(role(Role.ADMINISTRATOR, NORTH), role(Role.ADMINISTRATOR, THAMESIDE), actor_id="per_other")
    assert seen(other) == sorted([ids[NORTH], ids[THAMESIDE]])


def test_a_change_on_an_old_version_is_refused(desk: PeopleDesk) -> None:
    person = add(desk, CLERK).person
    changed = change_person(desk, at(), person.person_id, PersonEdit(name="Ada Other"), expected=person.version)
    assert (changed.name, changed.version) == ("Ada Other", 2)
    for attempt in (
        lambda: change_person(desk, at(), person.person_id, PersonEdit(name="Third"), expected=1),
        lambda: give_role(desk, at(), person.person_id, role(Role.AUDITOR), expected=1),
        lambda: take_role(desk, at(), person.person_id, CLERK, expected=1),
        lambda: reset_credentials(desk, at(), person.person_id, expected=1),
        lambda: close_person(desk, at(), person.person_id, revoke_keys=False, expected=1),
    ):
        with pytest.raises(StaleVersionError):
            attempt()


def test_a_login_is_given_once_however_it_is_written(desk: PeopleDesk) -> None:
    first = add(desk).person
    close_person(desk, at(), first.person_id, revoke_keys=False)
    for again in ("ada@example.org", " ADA@EXAMPLE.ORG"):
        with pytest.raises(TakenLoginError):
            add(desk, login=again)


@pytest.mark.parametrize("login", ["", "ab", "a b c", "x" * 201, "a\x00bc", "\ud800abc"])
def test_what_cannot_be_a_login_is_refused(login: str) -> None:
    with pytest.raises(InvalidLoginError):
        read_login(login)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "two\nlines", "\ud800"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError):
        read_name(name)


def test_who_is_closed_stays_closed_and_stays_readable(desk: PeopleDesk) -> None:
    ada = enrolled(desk, CLERK)
    closed = close_person(desk, at(), ada.person_id, revoke_keys=False)
    assert closed.keys_left == ()
    assert closed.person.closed_at == NOW
    assert (closed.person.has_password, closed.person.roles) == (False, (CLERK,))
    assert read_person(desk, OF_LAKESIDE, ada.person_id).name == NAME
    for attempt in (
        lambda: close_person(desk, at(), ada.person_id, revoke_keys=False),
        lambda: give_role(desk, at(), ada.person_id, role(Role.AUDITOR)),
        lambda: change_person(desk, at(), ada.person_id, PersonEdit(name="Other")),
    ):
        with pytest.raises(PersonClosedError):
            attempt()


def test_the_last_administrator_of_everything_stays(desk: PeopleDesk) -> None:
    one = add(desk, ADMINISTRATOR).person.person_id
    for attempt in (
        lambda: close_person(desk, at(), one, revoke_keys=False),
        lambda: take_role(desk, at(), one, ADMINISTRATOR),
    ):
        with pytest.raises(LastAdministratorError):
            attempt()
    other = add(desk, ADMINISTRATOR, login="other@example.org").person.person_id
    close_person(desk, at(), other, revoke_keys=False)
    with pytest.raises(LastAdministratorError):
        close_person(desk, at(), one, revoke_keys=False)


def test_two_administrators_who_close_each_other_at_once_leave_one(parts: Parts, desk: PeopleDesk) -> None:
    second = put_together(parts.settings)
    desks = (desk, a_desk(second))
    both = [add(desk, ADMINISTRATOR, login=f"{n}@example.org").person.person_id for n in range(2)]

    def close(number: int) -> bool:
        try:
            close_person(desks[number], at(), both[1 - number], revoke_keys=False)
        except LastAdministratorError:
            return False
        return True

    try:
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(close, range(2))) == [False, True]
    finally:
        second.close()


def test_everybody_may_read_themselves(desk: PeopleDesk) -> None:
    person_id = add(desk, CLERK).person.person_id
    assert read_person(desk, an_actor(CLERK, actor_id=person_id), person_id).name == NAME
