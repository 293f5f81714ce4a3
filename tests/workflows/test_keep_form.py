"""Keeping forms: nothing typed is lost, and nobody but who typed it gets it back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.domain.errors import GatewayError, StaleVersionError
from gateway.domain.rights import COMMAND_LINE, Actor, ActorKind, Role
from gateway.errands.claims import AlreadyDoneError, Claim
from gateway.errands.tables import unfinished_forms
from gateway.errands.unfinished import MOST_FORMS, FormContent, FormKind, TooManyFormsError, UnknownFormError
from gateway.people.errors import NotSignedInError, PersonClosedError, SessionExpiredError
from gateway.people.sessions import IDLE, LONGEST
from gateway.workflows import duties
from gateway.workflows.change import Errand
from gateway.workflows.change_person import close_person
from gateway.workflows.identify import identify
from gateway.workflows.keep_form import drop_form, forget_forms, interrupted_by, keep_form, list_forms, read_form
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import sign_out, sign_out_everywhere
from tests.people.desks import NOW, Somebody, a_desk, at, enrolled, enter, role
from tests.workflows.rotating import change_key, rewrite_all

DRAFT, INTERRUPTED = FormKind.DRAFT_ORDER, FormKind.INTERRUPTED
TYPED = FormContent(path="/console/orders/new", fields=(("line", "+12025550110"), ("name", "Jo Bloggs")))
OTHER = FormContent(path="/console/orders/new", fields=(("line", "+12025550111"),))


@pytest.fixture
def desk(parts: Parts) -> PeopleDesk:
    return a_desk(parts)


@pytest.fixture
def ada(desk: PeopleDesk) -> Somebody:
    return enrolled(desk, role(Role.CLERK))


@pytest.fixture
def ben(desk: PeopleDesk) -> Somebody:
    return enrolled(desk, role(Role.CLERK), login="ben@example.org")


def by(who: Somebody) -> Errand:
    return at(NOW, Actor(actor_id=who.person_id, kind=ActorKind.PERSON, grants=frozenset()))


def test_a_draft_is_put_aside_taken_up_again_and_dropped(parts: Parts, ada: Somebody) -> None:
    form = keep_form(parts.office, DRAFT, TYPED, by(ada))
    assert read_form(parts.office, form.form_id, by(ada)) == form
    again = keep_form(parts.office, DRAFT, OTHER, by(ada), form_id=form.form_id, expected=form.version)
    assert list_forms(parts.office, by(ada), DRAFT) == (again,)
    assert again.content == OTHER
    assert list_forms(parts.office, by(ada), INTERRUPTED) == ()
    assert drop_form(parts.office, form.form_id, by(ada))
    assert not drop_form(parts.office, form.form_id, by(ada))
    with pytest.raises(UnknownFormError):
        read_form(parts.office, form.form_id, by(ada))


def test_a_form_of_somebody_else_does_not_exist_whatever_is_asked_of_it(
    parts: Parts, ada: Somebody, ben: Somebody
) -> None:
    form = keep_form(parts.office, DRAFT, TYPED, by(ada))
    for errand in (by(ben), at(NOW, COMMAND_LINE)):
        with pytest.raises(UnknownFormError):
            read_form(parts.office, form.form_id, errand)
        assert list_forms(parts.office, errand) == ()
        assert not drop_form(parts.office, form.form_id, errand)
    with pytest.raises(UnknownFormError):
        keep_form(parts.office, DRAFT, OTHER, by(ben), form_id=form.form_id)
    with pytest.raises(UnknownFormError):
        keep_form(parts.office, INTERRUPTED, OTHER, by(ada), form_id=form.form_id)
    assert read_form(parts.office, form.form_id, by(ada)) == form


def test_of_two_tabs_that_keep_the_same_form_the_second_is_told(parts: Parts, ada: Somebody) -> None:
    form = keep_form(parts.office, DRAFT, TYPED, by(ada))
    keep_form(parts.office, DRAFT, OTHER, by(ada), form_id=form.form_id, expected=1)
    with pytest.raises(StaleVersionError):
        keep_form(parts.office, DRAFT, TYPED, by(ada), form_id=form.form_id, expected=1)


def test_a_form_that_is_sent_twice_is_kept_once(parts: Parts, ada: Somebody) -> None:
    claim = Claim.of(actor_id=ada.person_id, method="POST", path="/console", key="once", content=b"")
    errand = replace(by(ada), claim=claim)
    keep_form(parts.office, DRAFT, TYPED, errand)
    with pytest.raises(AlreadyDoneError):
        keep_form(parts.office, DRAFT, TYPED, errand)
    assert len(list_forms(parts.office, by(ada))) == 1


def test_what_an_expired_session_cut_short_comes_back_to_its_person_only(
    parts: Parts, desk: PeopleDesk, ada: Somebody, ben: Somebody
) -> None:
    token = enter(desk, ada).token
    for late in (NOW + IDLE, NOW + LONGEST + timedelta(hours=1)):
        with pytest.raises(SessionExpiredError):
            identify(desk, token, late)
        form = interrupted_by(parts.office, token, TYPED, late)
        assert (form.person_id, form.kind, form.content) == (ada.person_id, INTERRUPTED, TYPED)
        assert read_form(parts.office, form.form_id, replace(by(ada), at=late)) == form
    assert list_forms(parts.office, by(ben)) == ()


def test_a_session_that_was_signed_out_is_unknown_or_no_session_keeps_nothing(
    parts: Parts, desk: PeopleDesk, ada: Somebody
) -> None:
    tokens = ["", "cns_nobody", "cns_" + "\ud800", "cnk_0123_secret", "session=1"]
    opened = enter(desk, ada)
    sign_out(desk, opened.token, NOW)
    tokens.append(opened.token)
    everywhere = enter(desk, ada, NOW + timedelta(minutes=1))
    sign_out_everywhere(desk, by(ada), ada.person_id)
    tokens.append(everywhere.token)
    for token in tokens:
        with pytest.raises(NotSignedInError):
            interrupted_by(parts.office, token, TYPED, NOW + IDLE)
    assert list_forms(parts.office, by(ada)) == ()


def test_a_closed_person_keeps_no_form_and_leaves_none_behind(
    parts: Parts, desk: PeopleDesk, ada: Somebody, ben: Somebody
) -> None:
    token = enter(desk, ada).token
    keep_form(parts.office, DRAFT, TYPED, by(ada))
    left = keep_form(parts.office, DRAFT, TYPED, by(ben))
    close_person(desk, at(), ada.person_id, revoke_keys=False)
    with pytest.raises(PersonClosedError):
        keep_form(parts.office, DRAFT, TYPED, by(ada))
    with pytest.raises(NotSignedInError):
        interrupted_by(parts.office, token, TYPED, NOW + IDLE)
    forget_forms(parts.office, NOW)
    with parts.reading.connect() as connection:
        found = connection.execute(select(unfinished_forms.c.form_id)).scalars().all()
    assert found == [left.form_id]


def test_programs_and_the_command_line_keep_no_forms(parts: Parts) -> None:
    program = Actor(actor_id="key_1", kind=ActorKind.API_KEY, grants=frozenset())
    for actor in (program, COMMAND_LINE):
        with pytest.raises(NotSignedInError):
            keep_form(parts.office, DRAFT, TYPED, at(NOW, actor))


def test_what_proves_who_somebody_is_is_never_kept(parts: Parts, ada: Somebody) -> None:
    proofs = ("csrf_token", "password", "current-password", "New_Password", "totp_code", "code", "enrolment_code")
    harmless = (("legal_code", "art. 5"), ("country_code", "1"))
    fields = (*((name, "hush") for name in proofs), *harmless, ("ticket", "hush"))
    form = keep_form(parts.office, INTERRUPTED, FormContent(path="/console", fields=fields), by(ada))
    assert form.content.fields == harmless


def test_keeping_a_form_is_no_act_and_not_in_the_trail(parts: Parts, ada: Somebody) -> None:
    def entries() -> int:
        with parts.reading.connect() as connection:
            return connection.execute(select(func.count()).select_from(trail)).scalar_one()

    before = entries()
    form = keep_form(parts.office, DRAFT, TYPED, by(ada))
    drop_form(parts.office, form.form_id, by(ada))
    assert entries() == before


def test_of_many_that_are_kept_at_once_no_more_stay_than_may(parts: Parts, ada: Somebody) -> None:
    for _ in range(MOST_FORMS - 2):
        keep_form(parts.office, DRAFT, TYPED, by(ada))

    def one_more(_: int) -> type[GatewayError] | None:
        try:
            keep_form(parts.office, DRAFT, TYPED, by(ada))
        except TooManyFormsError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(one_more, range(6)))
    assert outcomes.count(None) == 2
    assert len(list_forms(parts.office, by(ada))) == MOST_FORMS


def test_forms_are_read_with_the_new_key_alone_after_a_rotation(parts: Parts, ada: Somebody) -> None:
    form = keep_form(parts.office, DRAFT, TYPED, by(ada))
    _, new = change_key(parts)
    rewrite_all(parts)
    parts.keys.replace(new)
    assert read_form(parts.office, form.form_id, by(ada)) == form


def test_the_worker_forgets_forms_when_their_time_is_over(parts: Parts, ada: Somebody) -> None:
    keep_form(parts.office, DRAFT, TYPED, by(ada))
    settings = parts.settings
    rounds = duties.rounds_of(
        parts.office, checkpoints=settings.checkpoints_dir, retention_days=settings.retention_days
    )
    forget = next(each for each in rounds if each.name == "forget_forms")
    forget.do(NOW + timedelta(days=30) - timedelta(microseconds=1))
    assert len(list_forms(parts.office, by(ada))) == 1
    forget.do(NOW + timedelta(days=30))
    assert list_forms(parts.office, by(ada)) == ()
    with parts.reading.connect() as connection:
        assert connection.execute(select(func.count()).select_from(unfinished_forms)).scalar_one() == 0
