"""The vault: what goes in comes out, and a single bit, place, name or key that is another is refused."""

import hashlib
import io
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.privacy.errors import FileTooLargeError, SealedFileError
from gateway.privacy.vault import SealedFile, Vault

CHUNK, TAG = 64 * 1024, 16
NAME = "doc_0123456789ab"
LIMIT = 10 * CHUNK
EDGES = sorted({n * CHUNK + d for n in (0, 1, 2, 3) for d in (-1, 0, 1)} - {-1})


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a network does."""

    def __init__(self, content: bytes, step: int) -> None:
        self._rest, self._step = content, step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken = self._rest[: min(self._step, size)]
        self._rest = self._rest[len(taken) :]
        return taken


def sealed(vault: Vault, content: bytes, name: str = NAME) -> SealedFile:
    return vault.seal(name, io.BytesIO(content), limit=LIMIT)


def opened(vault: Vault, file: SealedFile) -> bytes:
    return b"".join(vault.read(file.name, file.key))


def refused(vault: Vault, name: str, key: str) -> bool:
    """Tell whether a file is refused before its last chunk was handed out as good."""
    try:
        for _ in vault.read(name, key):
            pass
    except SealedFileError as error:
        return name in str(error)
    return False


@pytest.fixture
def three(vault: Vault, tmp_path: Path) -> tuple[Vault, SealedFile, Path]:
    """A sealed file of three chunks, the last one short."""
    file = sealed(vault, os.urandom(2 * CHUNK + 100))
    return vault, file, tmp_path / "vault" / NAME


@pytest.mark.parametrize("size", EDGES)
def test_a_file_of_any_size_around_the_chunks_comes_out_as_it_went_in(vault: Vault, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    file = sealed(vault, content)
    assert (file.size, file.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert opened(vault, file) == content
    chunks = max(1, -(-size // CHUNK))
    assert (tmp_path / "vault" / NAME).stat().st_size == size + chunks * TAG


@given(content=st.binary(max_size=5000), step=st.integers(min_value=1, max_value=700))
def test_any_content_from_any_stream_comes_out_as_it_went_in(content: bytes, step: int) -> None:
    with TemporaryDirectory() as folder:
        vault = Vault(Path(folder))
        file = vault.seal(NAME, Trickle(content, step), limit=5000)  # type: ignore[arg-type]  # as a request's stream
        assert opened(vault, file) == content
        assert file.size == len(content)


def test_a_stream_that_trickles_over_the_edge_of_a_chunk_makes_the_same_chunks(vault: Vault) -> None:
    content = os.urandom(CHUNK + 1)
    file = vault.seal(NAME, Trickle(content, 4097), limit=LIMIT)  # type: ignore[arg-type]  # as a request's stream
    assert opened(vault, file) == content


@given(size=st.sampled_from([0, 1, 1000, CHUNK, CHUNK + 1]), position=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(deadline=None)
def test_one_bit_that_is_another_is_refused_wherever_it_is(size: int, position: int, bit: int) -> None:
    with TemporaryDirectory() as folder:
        vault, path = Vault(Path(folder)), Path(folder) / NAME
        file = sealed(vault, bytes(size))
        stored = bytearray(path.read_bytes())
        stored[position % len(stored)] ^= 1 << bit
        path.write_bytes(stored)
        assert refused(vault, NAME, file.key)


@pytest.mark.parametrize(
    "length",
    [0, 1, TAG - 1, TAG, CHUNK, CHUNK + TAG - 1, CHUNK + TAG, CHUNK + TAG + 1, 2 * (CHUNK + TAG), -1, -TAG, -100],
)
def test_a_file_that_was_cut_off_is_refused_even_between_chunks(
    three: tuple[Vault, SealedFile, Path], length: int
) -> None:
    vault, file, path = three
    path.write_bytes(path.read_bytes()[:length])
    assert refused(vault, NAME, file.key)


@given(size=st.integers(min_value=0, max_value=3 * CHUNK), cut=st.integers(min_value=1))
@settings(deadline=None, max_examples=30)
def test_whatever_is_missing_at_the_end_is_noticed(size: int, cut: int) -> None:
    with TemporaryDirectory() as folder:
        vault, path = Vault(Path(folder)), Path(folder) / NAME
        file = sealed(vault, bytes(size))
        stored = path.read_bytes()
        path.write_bytes(stored[: -(1 + cut % len(stored))])
        assert refused(vault, NAME, file.key)


@pytest.mark.parametrize("more", [b"x", b"x" * TAG, b"x" * (CHUNK + TAG)])
def test_what_was_added_at_the_end_is_refused(three: tuple[Vault, SealedFile, Path], more: bytes) -> None:
    vault, file, path = three
    path.write_bytes(path.read_bytes() + more)
    assert refused(vault, NAME, file.key)


def test_chunks_that_were_swapped_repeated_or_taken_out_are_refused(three: tuple[Vault, SealedFile, Path]) -> None:
    vault, file, path = three
    stored, step = path.read_bytes(), CHUNK + TAG
    first, second, last = stored[:step], stored[step : 2 * step], stored[2 * step :]
    for order in (
        (second, first, last),
        (first, first, last),
        (first, last),
        (second, last),
        (first, second, second, last),
        (last,),
    ):
        path.write_bytes(b"".join(order))
        assert refused(vault, NAME, file.key)
    path.write_bytes(stored)
    assert not refused(vault, NAME, file.key)


def test_a_last_chunk_that_is_full_cannot_be_passed_off_as_one_in_the_middle(vault: Vault, tmp_path: Path) -> None:
    file = sealed(vault, bytes(CHUNK))
    path = tmp_path / "vault" / NAME
    path.write_bytes(path.read_bytes() * 2)
    assert refused(vault, NAME, file.key)


def test_a_file_under_another_name_is_refused(three: tuple[Vault, SealedFile, Path]) -> None:
    vault, file, path = three
    path.rename(path.with_name("doc_ba9876543210"))
    assert refused(vault, "doc_ba9876543210", file.key)
    assert refused(vault, NAME, file.key)


def test_a_file_with_the_key_of_another_is_refused(vault: Vault) -> None:
    one, other = sealed(vault, b"one"), sealed(vault, b"other", "doc_ba9876543210")
    assert refused(vault, one.name, other.key)
    assert refused(vault, other.name, one.key)
    assert one.key != other.key


def test_the_same_file_is_never_sealed_to_the_same_bytes(vault: Vault, tmp_path: Path) -> None:
    content = b"a signed order" * 100
    stored = []
    for _ in range(2):
        sealed(vault, content)
        stored.append((tmp_path / "vault" / NAME).read_bytes())
        assert content[:20] not in stored[-1]
    assert stored[0] != stored[1]


def test_the_key_does_not_show_in_a_representation(vault: Vault) -> None:
    file = sealed(vault, b"x")
    assert len(file.key) == 64
    assert file.key not in repr(file)


@pytest.mark.parametrize("limit", [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1])
def test_a_file_may_be_as_large_as_the_limit_and_not_one_byte_more(vault: Vault, tmp_path: Path, limit: int) -> None:
    assert vault.seal(NAME, io.BytesIO(bytes(limit)), limit=limit).size == limit
    before = (tmp_path / "vault" / NAME).read_bytes()
    with pytest.raises(FileTooLargeError, match=str(limit)):
        vault.seal(NAME, io.BytesIO(bytes(limit + 1)), limit=limit)
    # What was there is there still, and nothing besides.
    assert (tmp_path / "vault" / NAME).read_bytes() == before
    assert [each.name for each in (tmp_path / "vault").iterdir()] == [NAME]


def test_no_more_than_the_limit_is_read_of_a_stream_without_end(vault: Vault) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(FileTooLargeError):
        vault.seal(NAME, endless, limit=3 * CHUNK)  # type: ignore[arg-type]  # as a request's stream
    assert endless.taken <= 6 * CHUNK


def test_a_stream_that_breaks_leaves_nothing(vault: Vault, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError(size)

    with pytest.raises(ConnectionResetError):
        vault.seal(NAME, Broken(), limit=LIMIT)  # type: ignore[arg-type]  # as a request's stream
    assert list((tmp_path / "vault").iterdir()) == []
    assert vault.names() == frozenset()


def test_the_vault_and_its_files_are_closed_to_others(vault: Vault, tmp_path: Path) -> None:
    sealed(vault, b"x")
    assert stat.S_IMODE((tmp_path / "vault").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "vault" / NAME).stat().st_mode) == 0o600


def test_a_file_is_there_whole_or_not_at_all_while_it_is_being_sealed(vault: Vault) -> None:
    seen: list[frozenset[str]] = []

    class Watching(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(vault.names())
            return super().read(size)

    vault.seal(NAME, Watching(bytes(2 * CHUNK)), limit=LIMIT)
    assert set(seen) == {frozenset()}
    assert vault.names() == {NAME}


def test_many_at_once_neither_mix_nor_lose_anything(vault: Vault) -> None:
    contents = {f"doc_{number:012x}": os.urandom(CHUNK + number) for number in range(16)}
    found: dict[str, SealedFile] = {}

    def seal(name: str) -> None:
        found[name] = vault.seal(name, io.BytesIO(contents[name]), limit=LIMIT)

    threads = [threading.Thread(target=seal, args=(name,)) for name in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert vault.names() == set(contents)
    assert {name: opened(vault, file) for name, file in found.items()} == contents


def test_one_name_sealed_by_many_at_once_is_one_of_theirs_and_whole(vault: Vault) -> None:
    found: list[tuple[SealedFile, bytes]] = []

    def seal(number: int) -> None:
        content = bytes([number]) * (CHUNK + number)
        found.append((sealed(vault, content), content))

    threads = [threading.Thread(target=seal, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fitting = [(file, content) for file, content in found if not refused(vault, NAME, file.key)]
    assert len(fitting) == 1
    assert opened(vault, fitting[0][0]) == fitting[0][1]
    assert vault.names() == {NAME}


def test_who_reads_while_it_is_replaced_reads_the_old_file_to_its_end(vault: Vault) -> None:
    old = os.urandom(3 * CHUNK)
    file = sealed(vault, old)
    reading: Iterator[bytes] = vault.read(NAME, file.key)
    parts = [next(reading)]
    sealed(vault, os.urandom(CHUNK))
    parts += list(reading)
    assert b"".join(parts) == old


def test_a_file_that_was_removed_is_gone_and_removing_it_again_is_as_good(vault: Vault) -> None:
    file = sealed(vault, b"x")
    vault.remove(NAME)
    vault.remove(NAME)
    assert vault.names() == frozenset()
    with pytest.raises(SealedFileError, match="No such file"):
        opened(vault, file)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "abc",
        "../keys",
        "doc/abc",
        "/etc/passwd",
        "doc_0123.x",
        "DOC_0123",
        "x" * 61,
        "doc_0123\n",
        "..",
        "\x00abcd",
    ],
)
def test_a_name_that_no_file_of_the_vault_has_is_refused_by_every_verb(vault: Vault, tmp_path: Path, name: str) -> None:
    with pytest.raises(SealedFileError):
        vault.seal(name, io.BytesIO(b"x"), limit=LIMIT)
    with pytest.raises(SealedFileError):
        list(vault.read(name, "00" * 32))
    with pytest.raises(SealedFileError):
        vault.remove(name)
    assert list(tmp_path.rglob("*")) == []
