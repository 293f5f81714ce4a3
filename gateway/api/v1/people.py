"""`/people`: who works with the gateway, and in which roles."""

from pydantic import Field

from gateway.api.v1.fields import Input, Name, Output, PageQuery, Switch
from gateway.api.v1.pages import read_after, write_cursor
from gateway.api.v1.people_models import LOGIN, PersonOut, RoleIn, show_person
from gateway.api.v1.route import Answer, Call, IfMatch, Route
from gateway.people.directory import Person
from gateway.workflows.add_person import PersonDraft, add_person
from gateway.workflows.change_person import (
    PersonEdit,
    change_person,
    close_person,
    give_role,
    reset_credentials,
    take_role,
)
from gateway.workflows.list_people import list_people, read_person

_TAG = "People"


class PersonIn(Input):
    """A new person, who sets password or passkey with the enrolment code in the answer."""

    login: str = LOGIN
    name: Name
    roles: list[RoleIn] = Field(default_factory=list, max_length=100)
    oidc_allowed: Switch = Field(
        default=False, description="Whether the identity provider's verified e-mail, equal to the login, signs in."
    )


class PersonChange(Input):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    oidc_allowed: Switch | None = None


class ClosingIn(Input):
    """Whether the API keys that the person issued, and so has seen, are revoked too."""

    revoke_keys: Switch


class PersonPage(Output):
    """A page of people, by their ids."""

    items: list[PersonOut]
    next: str | None


class AddedOut(Output):
    """A person with the enrolment code, which is shown this once and is good for 72 hours."""

    person: PersonOut
    enrolment_code: str


class CodeOut(Output):
    """An enrolment code, which is shown this once and is good for 72 hours."""

    enrolment_code: str


class ClosedOut(Output):
    """A person who was closed, and the ids of the API keys in force that the person has seen."""

    person: PersonOut
    keys_left: list[str]


def list_all(call: Call, query: PageQuery) -> Answer:
    """List the people who have a role where you manage people."""
    page = list_people(call.desk.people, call.actor, after=read_after(query.cursor) or "", limit=query.limit)
    cursor = write_cursor(page.next_after) if page.next_after else None
    return Answer(model=PersonPage(items=[show_person(each) for each in page.people], next=cursor), cursor=cursor)


def post_person(call: Call, body: PersonIn) -> Answer:
    """Add a person."""
    draft = PersonDraft(
        login=body.login,
        name=body.name,
        roles=tuple(role.held() for role in body.roles),
        oidc_allowed=body.oidc_allowed,
    )
    added = add_person(call.desk.people, call.errand, draft)
    return Answer(
        model=AddedOut(person=show_person(added.person), enrolment_code=added.enrolment_code),
        location=f"/api/v1/people/{added.person.person_id}",
    )


def get_person(call: Call, person_id: str) -> Answer:
    """Show a person; everybody may look at themselves."""
    return _answer(read_person(call.desk.people, call.actor, person_id))


def patch_person(call: Call, person_id: str, body: PersonChange) -> Answer:
    """Change a person's name, or whether the identity provider signs in."""
    edit = PersonEdit(name=body.name, oidc_allowed=body.oidc_allowed)
    return _answer(change_person(call.desk.people, call.errand, person_id, edit, expected=call.expected))


def post_role(call: Call, person_id: str, body: RoleIn) -> Answer:
    """Give a person a role; giving it twice changes nothing."""
    return _answer(give_role(call.desk.people, call.errand, person_id, body.held(), expected=call.expected))


def post_role_taken(call: Call, person_id: str, body: RoleIn) -> Answer:
    """Take a role away; it is gone from the person's next request on."""
    return _answer(take_role(call.desk.people, call.errand, person_id, body.held(), expected=call.expected))


def post_reset(call: Call, person_id: str) -> Answer:
    """Remove what a person signs in with, close the sessions, and get a new enrolment code."""
    code = reset_credentials(call.desk.people, call.errand, person_id, expected=call.expected)
    return Answer(model=CodeOut(enrolment_code=code))


def post_closing(call: Call, person_id: str, body: ClosingIn) -> Answer:
    """Close a person for good; the next request with their session is refused."""
    closed = close_person(
        call.desk.people, call.errand, person_id, revoke_keys=body.revoke_keys, expected=call.expected
    )
    return Answer(model=ClosedOut(person=show_person(closed.person), keys_left=list(closed.keys_left)))


def _answer(person: Person) -> Answer:
    return Answer(model=show_person(person), version=person.version)


_ONE = "/people/<id:person_id>"
ROUTES = (
    Route(
        name="list_people",
        method="GET",
        path="/people",
        handler=list_all,
        tag=_TAG,
        answer=PersonPage,
        query=PageQuery,
    ),
    Route(
        name="add_person",
        method="POST",
        path="/people",
        handler=post_person,
        tag=_TAG,
        answer=AddedOut,
        status=201,
        body=PersonIn,
        example={
            "login": "clerk@lakeside.example",
            "name": "A. Clerk",
            "roles": [{"role": "clerk", "court": "lakeside"}],
        },
        refusals=frozenset({404}),
    ),
    Route(
        name="show_person",
        method="GET",
        path=_ONE,
        handler=get_person,
        tag=_TAG,
        answer=PersonOut,
        refusals=frozenset({403}),
    ),
    Route(
        name="change_person",
        method="PATCH",
        path=_ONE,
        handler=patch_person,
        tag=_TAG,
        answer=PersonOut,
        body=PersonChange,
        example={"name": "B. Clerk"},
        if_match=IfMatch.REQUIRED,
        refusals=frozenset({409}),
    ),
    Route(
        name="give_role",
        method="POST",
        path=f"{_ONE}/roles",
        handler=post_role,
        tag=_TAG,
        answer=PersonOut,
        body=RoleIn,
        example={"role": "approver", "court": "lakeside"},
        if_match=IfMatch.OPTIONAL,
    ),
    Route(
        name="take_role",
        method="POST",
        path=f"{_ONE}/roles/take",
        handler=post_role_taken,
        tag=_TAG,
        answer=PersonOut,
        body=RoleIn,
        example={"role": "approver", "court": "lakeside"},
        if_match=IfMatch.OPTIONAL,
    ),
    Route(
        name="reset_credentials",
        method="POST",
        path=f"{_ONE}/reset",
        handler=post_reset,
        tag=_TAG,
        answer=CodeOut,
        if_match=IfMatch.OPTIONAL,
    ),
    Route(
        name="close_person",
        method="POST",
        path=f"{_ONE}/close",
        handler=post_closing,
        tag=_TAG,
        answer=ClosedOut,
        body=ClosingIn,
        example={"revoke_keys": True},
        if_match=IfMatch.OPTIONAL,
    ),
)
