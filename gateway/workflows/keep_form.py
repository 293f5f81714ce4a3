"""Keep forms that somebody began, give them back to that person, and forget them in time.

Nothing of it is in the audit trail: what was typed and not sent is no act yet. What proves who somebody is (passwords,
codes, tokens) is never kept, whatever the form holds.
"""

import re
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from gateway.domain.rights import Actor, ActorKind
from gateway.errands import unfinished
from gateway.errands.tables import unfinished_forms
from gateway.errands.unfinished import FormContent, FormKind, Unfinished, UnknownFormError
from gateway.people import directory, sessions
from gateway.people.errors import NotSignedInError
from gateway.people.tables import people
from gateway.people.tokens import SessionToken, read_bearer
from gateway.workflows.change import Errand, change
from gateway.workflows.office import Office
from gateway.workflows.sign_in import errand_of

_PROVES_WHO = re.compile(r"csrf|password|passkey|secret|token|ticket|totp|enrolment|^code$", re.IGNORECASE)


def keep_form(
    office: Office,
    kind: FormKind,
    content: FormContent,
    errand: Errand,
    *,
    form_id: str = "",
    expected: int | None = None,
) -> Unfinished:
    """Keep what the asker typed: as a new form, or anew in the place of `form_id`, whose version was `expected`.

    Raises NotSignedInError for what is no person, UnknownFormError, StaleVersionError, FormTooLargeError,
    TooManyFormsError, PersonClosedError.
    """
    person_id, kept = _person(errand.actor), _without_proofs(content)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        # The lock lets two who keep forms at once count in turn, and keeps a form from outliving its person.
        directory.locked(connection, office.keys, person_id, expected=None)
        if not form_id:
            return unfinished.add(connection, office.keys, person_id, kind, kept, errand.at)
        before = unfinished.get(connection, office.keys, person_id, form_id, errand.at)
        if before.kind is not kind:
            raise UnknownFormError(shown=form_id)
        return unfinished.replace(connection, office.keys, before, kept, expected, errand.at)


def interrupted_by(office: Office, bearer: str, content: FormContent, now: datetime) -> Unfinished:
    """Keep a form that was sent with an expired session, for the person whose session it was.

    Whoever calls this has seen that the form was ours (CSRF): else a stranger's page could leave forms behind. Raises
    NotSignedInError where the session is unknown, was signed out, or its person was closed; FormTooLargeError,
    TooManyFormsError.
    """
    token = read_bearer(bearer)
    if not isinstance(token, SessionToken):
        raise NotSignedInError
    with office.reading.connect() as connection:
        person_id = sessions.owner_of(connection, office.keys, token.text)
    return keep_form(office, FormKind.INTERRUPTED, content, errand_of(person_id, now))


def read_form(office: Office, form_id: str, errand: Errand) -> Unfinished:
    """Return a form to who typed it. Raises UnknownFormError to everybody else."""
    with office.reading.connect() as connection:
        return unfinished.get(connection, office.keys, errand.actor.actor_id, form_id, errand.at)


def list_forms(office: Office, errand: Errand, kind: FormKind | None = None) -> tuple[Unfinished, ...]:
    """Return the asker's own forms, of one kind or of all, the one that was kept last first."""
    with office.reading.connect() as connection:
        return unfinished.of_person(connection, office.keys, errand.actor.actor_id, kind, errand.at)


def drop_form(office: Office, form_id: str, errand: Errand) -> bool:
    """Drop a form of the asker's, and tell whether it was there: dropping twice does no harm."""
    with office.engine.begin() as connection:
        return unfinished.drop(connection, errand.actor.actor_id, form_id)


def forget_forms(office: Office, now: datetime) -> None:
    """Forget the forms whose time is over, and those of people who were closed."""
    with office.engine.begin() as connection:
        unfinished.forget(connection, now)
        with_forms = people.c.person_id.in_(select(unfinished_forms.c.person_id))
        gone = select(people.c.person_id).where(with_forms, people.c.closed_at.is_not(None))
        for person_id in connection.execute(gone).scalars().all():
            unfinished.drop_all_of(connection, person_id)


def _person(actor: Actor) -> str:
    if actor.kind is not ActorKind.PERSON:
        raise NotSignedInError
    return actor.actor_id


def _without_proofs(content: FormContent) -> FormContent:
    return replace(content, fields=tuple(each for each in content.fields if not _PROVES_WHO.search(each[0])))
