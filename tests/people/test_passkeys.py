"""Passkeys, made and used by a software authenticator."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.errors import GatewayError
from gateway.domain.rights import Role
from gateway.people import passkey_checks
from gateway.people.challenges import new_challenge, octets
from gateway.people.errors import EnrolmentRefusedError, PasskeyRefusedError, TooManyAttemptsError
from gateway.people.passkeys import RelyingParty, StoredPasskey
from gateway.people.throttle import FREE, Kind
from gateway.workflows.change_person import close_person, reset_credentials
from gateway.workflows.enrol import begin_enrolment, enrol_with_passkey
from gateway.workflows.identify import identify
from gateway.workflows.list_people import read_person
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in_passkey import begin_passkey, sign_in_passkey
from tests.people.authenticator import Authenticator
from tests.people.desks import ADDRESS, LOGIN, NOW, ORIGIN, add, an_actor, at, role, trail_of


def enrol(desk: PeopleDesk, key: Authenticator, login: str = LOGIN) -> str:
    added = add(desk, role(Role.CLERK), login=login)
    offer = begin_enrolment(desk, added.enrolment_code, NOW)
    response = key.create(offer.passkey_options)
    return enrol_with_passkey(desk, added.enrolment_code, offer.ticket, response=response, label="blue key", now=NOW)


def enter(desk: PeopleDesk, key: Authenticator) -> str:
    asked = begin_passkey(desk, NOW)
    return sign_in_passkey(desk, asked.ticket, key.get(asked.options), address=ADDRESS, now=NOW).token


@pytest.mark.parametrize("counts", [True, False])
def test_a_passkey_signs_its_person_in_again_and_again(desk: PeopleDesk, *, counts: bool) -> None:
    key = Authenticator(counts=counts)
    person_id = enrol(desk, key)
    for _ in range(3):
        assert identify(desk, enter(desk, key), NOW).actor_id == person_id
    assert read_person(desk, at().actor, person_id).passkeys == 1
    assert trail_of(desk, person_id)[-1] == "people:session:opened"


def test_the_options_ask_for_a_verified_holder_and_tell_of_nobody(desk: PeopleDesk) -> None:
    enrol(desk, Authenticator())
    asked = json.loads(begin_passkey(desk, NOW).options)
    assert (asked["rpId"], asked["userVerification"], asked["allowCredentials"]) == (
        "gateway.example.org",
        "required",
        [],
    )
    code = add(desk, login="new@example.org").enrolment_code
    made = json.loads(begin_enrolment(desk, code, NOW).passkey_options)
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["attestation"] == "none"
    assert len(octets(asked["challenge"])) == 32


@pytest.mark.parametrize(
    "key",
    [
        Authenticator(verifies=False),
        Authenticator(origin="https://evil.example.org"),
        Authenticator(party_id="evil.example.org"),
    ],
    ids=["not verified", "another origin", "another party"],
)
def test_a_passkey_of_another_place_or_an_unverified_holder_is_refused(desk: PeopleDesk, key: Authenticator) -> None:
    with pytest.raises(PasskeyRefusedError):
        enrol(desk, key)
    good = Authenticator()
    enrol(desk, good, "other@example.org")
    key.key, key.credential_id, key.sign_count = good.key, good.credential_id, 5
    with pytest.raises(PasskeyRefusedError):
        enter(desk, key)
    enter(desk, good)


def test_another_key_under_the_same_name_is_refused(desk: PeopleDesk) -> None:
    good = Authenticator()
    person_id = enrol(desk, good)
    with pytest.raises(PasskeyRefusedError):
        enter(desk, Authenticator(credential_id=good.credential_id))
    assert trail_of(desk, person_id)[-1] == "people:session:refused"
    with pytest.raises(PasskeyRefusedError):
        enter(desk, Authenticator())
    with pytest.raises(PasskeyRefusedError):
        enrol(desk, good, "other@example.org")


@pytest.mark.parametrize("counts", [True, False])
def test_an_answer_opens_one_session_and_no_second(desk: PeopleDesk, *, counts: bool) -> None:
    key = Authenticator(counts=counts)
    enrol(desk, key)
    asked = begin_passkey(desk, NOW)
    response = key.get(asked.options)
    sign_in_passkey(desk, asked.ticket, response, address=ADDRESS, now=NOW)
    with pytest.raises(PasskeyRefusedError):
        sign_in_passkey(desk, asked.ticket, response, address=ADDRESS, now=NOW)
    # The challenge itself is used up, too, whatever is signed over it.
    with pytest.raises(PasskeyRefusedError):
        sign_in_passkey(desk, asked.ticket, key.get(asked.options), address=ADDRESS, now=NOW)


def test_a_copy_of_a_key_is_noticed_by_its_count(desk: PeopleDesk) -> None:
    key = Authenticator()
    enrol(desk, key)
    copy = replace(key)
    enter(desk, key)
    enter(desk, key)
    with pytest.raises(PasskeyRefusedError):
        enter(desk, copy)


def test_a_ticket_is_ours_of_this_use_and_of_these_minutes(desk: PeopleDesk) -> None:
    key = Authenticator()
    enrol(desk, key)
    asked, other = begin_passkey(desk, NOW), begin_passkey(desk, NOW)
    response = key.get(asked.options)
    enrolling = begin_enrolment(desk, add(desk, login="new@example.org").enrolment_code, NOW).ticket
    late = NOW + timedelta(minutes=5)
    for ticket, now in ((other.ticket, NOW), (enrolling, NOW), ("forged", NOW), ("", NOW), (asked.ticket, late)):
        with pytest.raises(PasskeyRefusedError):
            sign_in_passkey(desk, ticket, response, address=ADDRESS, now=now)
    sign_in_passkey(desk, asked.ticket, response, address=ADDRESS, now=NOW)


def test_after_a_reset_or_an_end_the_passkey_opens_nothing(desk: PeopleDesk) -> None:
    for number, end in enumerate((True, False)):
        key = Authenticator()
        person_id = enrol(desk, key, f"{number}@example.org")
        if end:
            close_person(desk, at(), person_id, revoke_keys=False)
        else:
            reset_credentials(desk, at(), person_id)
        with pytest.raises(PasskeyRefusedError):
            enter(desk, key)


def test_an_enrolment_code_is_used_up_by_a_passkey(desk: PeopleDesk) -> None:
    added = add(desk)
    offer = begin_enrolment(desk, added.enrolment_code, NOW)
    for key, is_refused in ((Authenticator(), False), (Authenticator(), True)):
        response = key.create(offer.passkey_options)
        if is_refused:
            with pytest.raises(EnrolmentRefusedError):
                enrol_with_passkey(desk, added.enrolment_code, offer.ticket, response=response, label="", now=NOW)
        else:
            enrol_with_passkey(desk, added.enrolment_code, offer.ticket, response=response, label="", now=NOW)
    assert read_person(desk, an_actor(actor_id=added.person.person_id), added.person.person_id).passkeys == 1


def test_trying_keys_is_slowed_down(desk: PeopleDesk) -> None:
    for _ in range(FREE[Kind.ADDRESS]):
        with pytest.raises(PasskeyRefusedError):
            enter(desk, Authenticator())
    with pytest.raises(TooManyAttemptsError):
        enter(desk, Authenticator())


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.binary(max_size=60).map(repr),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "rawId",
                    "type",
                    "response",
                    "clientDataJSON",
                    "attestationObject",
                    "authenticatorData",
                    "signature",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(junk=JUNK, cut=st.integers(0, 200), put=st.binary(max_size=8), at_=st.integers(0, 300))
def test_no_answer_however_broken_does_more_than_be_refused(junk: object, cut: int, put: bytes, at_: int) -> None:
    party = RelyingParty.at(ORIGIN, "test")
    challenge = octets(new_challenge())
    key = Authenticator()
    stored = StoredPasskey(passkey_id="p", person_id="q", public_key=b"\xa0", sign_count=0)
    created = key.create(passkey_checks.creation_options(party, "per_x", LOGIN, challenge))
    used = key.get(passkey_checks.request_options(party, challenge))
    broken = [json.dumps(junk)]
    for whole in (created, used):
        document = json.loads(whole)
        for name, value in document["response"].items():
            bent = value[:at_] + put.hex() + value[at_ + cut :]
            broken.append(json.dumps({**document, "response": {**document["response"], name: bent}}))
    for response in (*broken, "", "{", "[]", "null", created[:-cut], '"\\ud800"'):
        for check in (
            lambda text: passkey_checks.check_creation(party, text, challenge),
            lambda text: passkey_checks.check_use(party, text, challenge, stored),
            passkey_checks.credential_of,
        ):
            try:
                check(response)
            except GatewayError as error:
                assert error.code == "passkey_refused"  # noqa: PT017  (some of them are whole, and are accepted)
