"""Passwords: argon2id (RFC 9106), one at a time in each process, and the same work whether or not a login exists."""

import itertools
import secrets
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.people.errors import SignInBusyError, WeakPasswordError

SHORTEST, LONGEST = 12, 256
_FEWEST_CHARACTERS = 5
# Those who wait hold a thread each, which webhooks could need: more than this many are told to come back.
_MOST_WAITING = 4
_RETRY_SECONDS = 2


def argon2id() -> PasswordHasher:
    """Return the hasher in use: above the OWASP minimum of 19 MiB and 2 passes, with one lane, for one core."""
    return PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)


class Passwords:
    """Hashes and checks passwords; at most one hashing at a time goes on in a process, so that calls keep the rest."""

    def __init__(self, argon: PasswordHasher) -> None:
        """Hash with the parameters of `argon`; hashes with others are still read."""
        self._argon = argon
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_WAITING)
        self._decoy = _decoy(argon)

    def hash(self, password: str) -> str:
        """Return the argon2id string. Raises SignInBusyError."""
        with self._alone():
            return self._argon.hash(_octets(password))

    def is_right(self, stored: str | None, password: str) -> bool:
        """Check a password; None, for who has none, takes the same work and is never right. Raises SignInBusyError."""
        with self._alone():
            try:
                return self._argon.verify(self._decoy if stored is None else stored, _octets(password))
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than ours, and should be made anew."""
        return self._argon.check_needs_rehash(stored)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise SignInBusyError(retry_after=_RETRY_SECONDS)
        try:
            with self._turn:
                yield
        finally:
            self._room.release()


def demand_strong(password: str, login: str) -> None:
    """Raise WeakPasswordError where a password would be among the first that anybody guesses."""
    text = _normal(password)
    folded, own = text.casefold(), login.casefold()
    if len(text) < SHORTEST:
        raise WeakPasswordError(why=f"it has fewer than {SHORTEST} characters")
    if len(text) > LONGEST:
        raise WeakPasswordError(why=f"it has more than {LONGEST} characters")
    if folded == own or folded.replace(own, "") == "" or folded.replace(own.partition("@")[0], "") == "":
        raise WeakPasswordError(why="it is the login")
    if len(set(folded)) < _FEWEST_CHARACTERS:
        raise WeakPasswordError(why=f"it has fewer than {_FEWEST_CHARACTERS} different characters")
    if folded in (folded + folded)[1:-1]:
        raise WeakPasswordError(why="it repeats a part of itself")
    if _is_run(folded) or _is_run(folded[::-1]):
        raise WeakPasswordError(why="it counts up or down")


def _is_run(text: str) -> bool:
    """Tell whether each character follows the one before it, as in abcdef or 678901."""
    return all(ord(after) - ord(before) in {1, -9} for before, after in itertools.pairwise(text))


def _normal(password: str) -> str:
    """Return the same text however a keyboard composes it (NIST SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _octets(password: str) -> bytes:
    # JSON can hold half a character; that is a wrong password, and no reason to fail.
    return _normal(password).encode(errors="surrogatepass")


def _decoy(argon: PasswordHasher) -> str:
    """Return a hash that no password has, and that takes as long to check as a real one."""
    salt, digest = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (argon.salt_len, argon.hash_len)
    )
    return f"$argon2id$v=19$m={argon.memory_cost},t={argon.time_cost},p={argon.parallelism}${salt}${digest}"
