"""Sign in with a passkey, which verifies its holder: two factors in one, and nothing to type."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.audit.tags import Tag
from gateway.domain.rights import GATEWAY
from gateway.people import challenges, passkey_checks, passkeys, throttle
from gateway.people.challenges import ChallengeSpentError, new_challenge, octets
from gateway.people.errors import PasskeyRefusedError
from gateway.people.passkeys import StoredPasskey
from gateway.people.sessions import Method, Opened
from gateway.privacy.errors import TokenRefusedError
from gateway.workflows.change import Errand, change
from gateway.workflows.people_desk import PeopleDesk
from gateway.workflows.sign_in import count_attempt, errand_of, open_session

_USE = "sign-in-passkey"
_PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRequest:
    """What `navigator.credentials.get()` takes, as JSON, and the ticket that comes back with its answer."""

    options: str
    ticket: str = field(repr=False)


def begin_passkey(desk: PeopleDesk, now: datetime) -> PasskeyRequest:
    """Return a challenge for whichever passkey somebody has; it asks for no login, and so tells of none."""
    challenge = new_challenge()
    return PasskeyRequest(
        options=passkey_checks.request_options(desk.party, octets(challenge)),
        ticket=desk.sealer.seal({"challenge": challenge}, use=_USE, now=now, lifetime=_PATIENCE),
    )


def sign_in_passkey(desk: PeopleDesk, ticket: str, response: str, *, address: str, now: datetime) -> Opened:
    """Open a session; `response` is the browser's, as JSON. Raises TooManyAttemptsError, PasskeyRefusedError.

    The challenge is used up with the session, for a passkey that several devices share counts no uses: without that,
    the same answer would open a second session.
    """
    by_address = throttle.by_address(address, desk.keys)
    count_attempt(desk.engine, now, by_address)
    challenge = _challenge(desk, ticket, now)
    with desk.reading.connect() as connection:
        stored = passkeys.find(connection, passkey_checks.credential_of(response))
    try:
        sign_count = passkey_checks.check_use(desk.party, response, octets(challenge), stored)
        with change(desk.engine, desk.keys, errand_of(stored.person_id, now)) as done:
            challenges.spend(done.connection, challenge, now)
            passkeys.count_use(done.connection, stored, sign_count)
            throttle.forgive(done.connection, None, by_address, now)
            return open_session(desk.keys, done, stored.person_id, Method.PASSKEY)
    except ChallengeSpentError as error:
        _note_refusal(desk, stored, now)
        raise PasskeyRefusedError(why="it was used for this sign-in already") from error
    except PasskeyRefusedError:
        _note_refusal(desk, stored, now)
        raise


def _challenge(desk: PeopleDesk, ticket: str, now: datetime) -> str:
    try:
        return desk.sealer.open(ticket, use=_USE, now=now)["challenge"]
    except TokenRefusedError as error:
        raise PasskeyRefusedError(why="the request for it was not ours, or has expired") from error


def _note_refusal(desk: PeopleDesk, stored: StoredPasskey, now: datetime) -> None:
    with change(desk.engine, desk.keys, Errand(actor=GATEWAY, at=now)) as done:
        done.note(Tag.SIGN_IN_REFUSED, stored.person_id, method=Method.PASSKEY.value)
