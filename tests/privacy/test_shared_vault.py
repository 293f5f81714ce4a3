"""The vault of several hosts, over a real S3 server: what one seals another opens, unless it was changed."""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.bucket import Bounds, Bucket, StorageError
from gateway.privacy.errors import FileTooLargeError, SealedFileError
from gateway.privacy.vault import SealedFile, Vault
from tests.object_storage import CREDENTIALS, Storage, line_to, running_storage

NAME = "doc_0123456789ab"
LIMIT = 10_000_000
BRISK = Bounds(quick=2.0, slow=5.0, rest=0.2)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with running_storage() as server:
        yield server


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def url(storage: Storage) -> str:
    return storage.make_bucket()


@pytest.fixture
def hosts(storage: Storage, url: str, tmp_path: Path) -> Iterator[tuple[Vault, Vault]]:
    """Two hosts with folders of their own."""
    buckets = [Bucket(url, storage.endpoint, bounds=BRISK) for _host in range(2)]
    one, other = (Vault(tmp_path / str(number), bucket) for number, bucket in enumerate(buckets))
    yield one, other
    for bucket in buckets:
        bucket.close()


def opened(vault: Vault, file: SealedFile) -> bytes:
    return b"".join(vault.read(file.name, file.key))


def nothing_is_left_in(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000])
def test_what_one_host_seals_another_opens_and_the_storage_cannot(
    hosts: tuple[Vault, Vault], storage: Storage, url: str, tmp_path: Path, size: int
) -> None:
    one, other = hosts
    content = os.urandom(size)
    file = one.seal(NAME, io.BytesIO(content), limit=LIMIT)
    assert (file.size, file.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert opened(other, file) == content
    stored = storage.content(url, f"vault/{NAME}")
    assert stored is not None
    assert size < 16 or content[:16] not in stored
    assert nothing_is_left_in(tmp_path)


def test_names_are_listed_and_what_is_removed_is_gone_everywhere(hosts: tuple[Vault, Vault]) -> None:
    one, other = hosts
    file = one.seal(NAME, io.BytesIO(b"judgment"), limit=LIMIT)
    assert one.names() == other.names() == {NAME}
    other.remove(NAME)
    other.remove(NAME)
    assert one.names() == frozenset()
    with pytest.raises(SealedFileError, match=NAME):
        opened(one, file)


def test_what_is_too_large_leaves_nothing(hosts: tuple[Vault, Vault], tmp_path: Path) -> None:
    with pytest.raises(FileTooLargeError):
        hosts[0].seal(NAME, io.BytesIO(bytes(200_000)), limit=100_000)
    assert hosts[1].names() == frozenset()
    assert nothing_is_left_in(tmp_path)


@pytest.mark.parametrize("length", [0, 10, 65_552, -1])
def test_an_object_that_was_cut_off_is_refused(
    hosts: tuple[Vault, Vault], storage: Storage, url: str, length: int
) -> None:
    file = hosts[0].seal(NAME, io.BytesIO(os.urandom(100_000)), limit=LIMIT)
    stored = storage.content(url, f"vault/{NAME}")
    assert stored is not None
    storage.overwrite(url, f"vault/{NAME}", stored[:length])
    with pytest.raises(SealedFileError, match=NAME):
        opened(hosts[1], file)


def test_an_upload_that_breaks_off_leaves_nothing(storage: Storage, url: str, tmp_path: Path) -> None:
    with line_to(storage) as line:
        bucket = Bucket(url, line.endpoint, bounds=BRISK)
        vault = Vault(tmp_path / "vault", bucket)
        line.cut_after = 100_000
        with pytest.raises(StorageError, match=NAME):
            vault.seal(NAME, io.BytesIO(os.urandom(300_000)), limit=LIMIT)
        assert line.sent > 100_000
        bucket.close()
    assert storage.content(url, f"vault/{NAME}") is None
    assert nothing_is_left_in(tmp_path)


@pytest.mark.parametrize("name", ["../keys", "a/b/c/d", "", "doc_0123456789AB"])
def test_odd_names_are_refused(hosts: tuple[Vault, Vault], name: str) -> None:
    for attempt in (
        lambda: hosts[0].remove(name),
        lambda: hosts[0].seal(name, io.BytesIO(b""), limit=LIMIT),
        lambda: list(hosts[0].read(name, "00" * 32)),
    ):
        with pytest.raises(SealedFileError, match="such a name"):
            attempt()
