"""Passwords: what is too weak, what a hash is, and that hashing takes turns."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters

from gateway.people.errors import SignInBusyError, WeakPasswordError
from gateway.people.passwords import Passwords, argon2id, demand_strong
from tests.people.desks import PASSWORD, cheap


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "fewer than 12"),
        ("x" * 300, "more than 256"),
        ("ada@example.org", "login"),
        ("ADA@example.ORG", "login"),
        ("ada@example.orgada@example.org", "login"),
        ("adaadaadaada", "login"),
        ("aaaaaaaaaaaaaa", "different characters"),
        ("ab1cab1cab1cab1c", "different characters"),
        ("tulip7tulip7tulip7", "repeats"),
        ("abcdefghijklm", "counts"),
        ("345678901234", "counts"),
        ("9876543210987", "counts"),
    ],
)
def test_a_password_that_anybody_would_try_first_is_refused(password: str, why: str) -> None:
    with pytest.raises(WeakPasswordError, match=why) as refused:
        demand_strong(password, "ada@example.org")
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", [PASSWORD, "Zwölf Zeichen!", "十二个字符也是一个好密码吗"])
def test_a_long_phrase_is_accepted(password: str) -> None:
    demand_strong(password, "ada@example.org")


def test_a_password_is_hashed_with_argon2id_and_salted() -> None:
    passwords = Passwords(argon2id())
    one, other = passwords.hash(PASSWORD), passwords.hash(PASSWORD)
    assert one != other
    assert one.startswith("$argon2id$")
    # The OWASP minimum: 19 MiB, two passes.
    assert extract_parameters(one).memory_cost >= 19 * 1024
    assert extract_parameters(one).time_cost >= 2
    assert passwords.is_right(one, PASSWORD)
    assert not passwords.is_right(one, PASSWORD + "r")


def test_the_same_password_is_right_however_a_keyboard_composes_it() -> None:
    passwords = Passwords(cheap())
    assert passwords.is_right(passwords.hash("caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait"), "cafe\u0301 au lait")


def test_half_a_character_is_a_wrong_password_and_no_accident() -> None:
    passwords = Passwords(cheap())
    assert not passwords.is_right(passwords.hash(PASSWORD), "\ud800" * 12)


def test_nobody_s_password_is_never_right_and_takes_the_work_of_a_real_one() -> None:
    argon = cheap()
    decoy = Passwords(argon)._decoy  # noqa: SLF001  (what the work is measured by)
    assert not Passwords(argon).is_right(None, "")
    ours = extract_parameters(argon.hash(PASSWORD))
    assert extract_parameters(decoy) == ours


def test_a_hash_with_other_parameters_is_outdated_and_still_right() -> None:
    old = Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)).hash(PASSWORD)
    passwords = Passwords(cheap())
    assert passwords.is_outdated(old)
    assert passwords.is_right(old, PASSWORD)
    assert not passwords.is_outdated(passwords.hash(PASSWORD))


class Slow(PasswordHasher):
    """Hashes only when told to, and counts how many do so at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go, self.begun = threading.Event(), threading.Semaphore(0)
        self.present, self.most = 0, 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.present += 1
        self.most = max(self.most, self.present)
        self.begun.release()
        assert self.go.wait(timeout=20)
        self.present -= 1
        return super().hash(password, salt=salt)


def test_one_hashes_at_a_time_some_wait_and_the_rest_are_told_to_come_back() -> None:
    slow = Slow()
    passwords = Passwords(slow)

    def hash_or_error(_: int) -> str:
        try:
            return passwords.hash(PASSWORD)
        except SignInBusyError as error:
            if not slow.go.is_set():
                slow.begun.release()
            return f"{error.code}, again in {error.retry_after} s"

    with ThreadPoolExecutor(10) as pool:
        done = [pool.submit(hash_or_error, each) for each in range(10)]
        # One hashes and six were sent away: then three wait, and everybody has come.
        for _ in range(7):
            assert slow.begun.acquire(timeout=20)
        slow.go.set()
        results = [each.result(timeout=20) for each in done]
    assert slow.most == 1
    assert results.count("sign_in_busy, again in 2 s") == 6
    assert sum(each.startswith("$argon2id$") for each in results) == 4
