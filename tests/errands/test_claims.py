"""Claims: a request is carried out once, however often and however simultaneously it is sent."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.assembly import Parts
from gateway.audit.tables import trail
from gateway.audit.tags import Tag
from gateway.domain.events import Event
from gateway.errands.claims import (
    AlreadyDoneError,
    Claim,
    ClaimMismatchError,
    answer_to,
    demand_free,
    forget,
    keep_answer,
)
from gateway.errands.tables import claims
from gateway.outbox.tables import messages
from gateway.privacy.field import FieldCipher
from gateway.workflows.change import Errand, change, demand_unclaimed
from tests.blank import COURT
from tests.builders_office import NOON, a_claim, an_errand, race, refusals


def carry_out(parts: Parts, errand: Errand, *, fail: bool = False) -> str:
    """Do something that leaves an entry in the trail and a message in the outbox."""
    with change(parts.studio.engine, parts.keys, errand) as under_way:
        under_way.note(Tag.COURT_CHANGED, COURT, court_id=COURT)
        under_way.tell(Event.ORDER_LIFTED, court_id=COURT, order="ord_1")
        if fail:
            raise ZeroDivisionError
    return "done"


def counts(parts: Parts) -> tuple[int | None, ...]:
    with parts.studio.engine.connect() as connection:
        return tuple(connection.scalar(select(func.count()).select_from(each)) for each in (claims, trail, messages))


@pytest.mark.parametrize("among", [0, 5])
def test_a_request_sent_eight_times_at_once_is_carried_out_once(blank: Parts, among: int) -> None:
    errand = replace(an_errand(), claim=a_claim())
    carry_out(blank, an_errand())
    others = [
        lambda number=number: carry_out(blank, replace(errand, claim=a_claim(str(number)))) for number in range(among)
    ]
    outcomes = race(*[lambda: carry_out(blank, errand)] * 8, *others)
    assert [type(each) for each in refusals(outcomes)] == [AlreadyDoneError] * 7
    assert outcomes.count("done") == 1 + among
    assert counts(blank) == (1 + among, 2 + among, 2 + among)


def test_a_change_that_is_rolled_back_leaves_no_claim_no_entry_and_no_message(blank: Parts) -> None:
    errand = replace(an_errand(), claim=a_claim())
    before = counts(blank)
    with pytest.raises(ZeroDivisionError):
        carry_out(blank, errand, fail=True)
    assert counts(blank) == before
    assert carry_out(blank, errand) == "done"
    assert counts(blank) == (1, 1, 1)


def test_of_requests_at_once_of_which_the_first_fail_one_is_carried_out(blank: Parts) -> None:
    errand = replace(an_errand(), claim=a_claim())

    def try_once(*, fail: bool) -> str:
        try:
            return carry_out(blank, errand, fail=fail)
        except ZeroDivisionError:
            return "failed"

    carry_out(blank, an_errand())
    outcomes = race(*(lambda number=number: try_once(fail=number < 4) for number in range(8)))
    assert outcomes.count("done") == 1
    assert counts(blank) == (1, 2, 2)


def test_a_key_that_was_used_for_something_else_is_refused(blank: Parts) -> None:
    carry_out(blank, replace(an_errand(), claim=a_claim()))
    other = replace(an_errand(), claim=a_claim(content=b'{"other": true}'))
    with pytest.raises(ClaimMismatchError):
        carry_out(blank, other)
    with blank.studio.engine.connect() as connection, pytest.raises(ClaimMismatchError):
        demand_unclaimed(connection, other)
    assert counts(blank) == (1, 1, 1)


@pytest.mark.parametrize(
    "changed", [{"actor_id": "per_2"}, {"method": "PUT"}, {"path": "/api/v1/courts"}, {"key": "two"}]
)
def test_a_claim_is_of_one_actor_one_address_and_one_key(blank: Parts, changed: dict[str, str]) -> None:
    fields = {"actor_id": "per_clerk", "method": "POST", "path": "/api/v1/orders", "key": "one"}
    one = Claim.of(**fields, content=b"")
    other = Claim.of(**{**fields, **changed}, content=b"")
    assert one.name != other.name
    for claim in (one, other):
        assert carry_out(blank, replace(an_errand(), claim=claim)) == "done"


def test_the_answer_is_kept_encrypted_for_the_same_request_alone(blank: Parts) -> None:
    claim, cipher = a_claim(), FieldCipher(blank.keys)
    with blank.studio.engine.begin() as connection:
        assert answer_to(connection, claim, cipher) is None
        demand_free(connection, claim)
    carry_out(blank, replace(an_errand(), claim=claim))
    with blank.studio.engine.begin() as connection:
        with pytest.raises(AlreadyDoneError):
            answer_to(connection, claim, cipher)
        keep_answer(connection, claim, '{"token": "shown once"}', cipher)
    with blank.studio.engine.begin() as connection:
        assert answer_to(connection, claim, cipher) == '{"token": "shown once"}'
        with pytest.raises(ClaimMismatchError):
            answer_to(connection, a_claim(content=b"other"), cipher)
        with pytest.raises(AlreadyDoneError):
            demand_free(connection, claim)
        kept = connection.execute(select(claims.c.answer)).scalar_one()
    assert b"shown once" not in kept


def test_old_claims_are_forgotten_and_their_keys_are_free_again(blank: Parts) -> None:
    errand = replace(an_errand(), claim=a_claim())
    carry_out(blank, errand)
    carry_out(blank, replace(errand, at=NOON + timedelta(days=1), claim=a_claim("two")))
    with blank.studio.engine.begin() as connection:
        assert forget(connection, NOON + timedelta(hours=1)) == 1
    assert carry_out(blank, errand) == "done"
    with pytest.raises(AlreadyDoneError):
        carry_out(blank, replace(errand, claim=a_claim("two")))
