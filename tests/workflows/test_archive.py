"""The file that a backup is: whatever was changed in it, cut from it, or put into it by somebody else is refused."""

import bz2
import gzip
import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.workflows.archive import ArchiveWriter, Manifest, may_hold
from gateway.workflows.archive_reader import DamagedArchiveError, NewerArchiveError, read_archive

KEY = bytes(range(32))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHA256 = "ab" * 32
CONTENT = {
    "database.sqlite3": b"SQLite format 3\x00" + bytes(5_000),
    f"renditions/ab/{SHA256}.wav": b"RIFF" * 300,
    "vault/doc_0123456789ab": b"sealed" * 200,
    "checkpoints/2026-03-01.json": b"{}",
    "DEMO": b"",
}
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
Spoil = Callable[[tarfile.TarInfo], None]


def a_manifest(**given: object) -> Manifest:
    values: dict[str, object] = {
        "backup_id": "bak_0123456789ab",
        "gateway": "0.1.0",
        "made_at": NOW,
        "kind": "sqlite",
        "server": 0,
        "revision": "0006",
        "key_id": "0123456789ab",
        "keys_held": ("0123456789ab",),
        "trail_seq": 0,
        "trail_seal": "00" * 32,
        "rows": {"orders": 9},
    }
    return Manifest.model_validate({**values, **given})


def written(path: Path, content: Mapping[str, bytes] = CONTENT, **given: object) -> Path:
    """Write an archive of `content` to `path`."""
    with path.open("wb") as file:
        writer = ArchiveWriter(file, NOW)
        for name, each in content.items():
            writer.add(name, io.BytesIO(each), len(each))
        writer.finish(a_manifest(**given), KEY)
    return path


def why_refused(path: Path) -> str:
    """Return the sentence that an archive is refused with."""
    with pytest.raises(DamagedArchiveError) as caught:
        read_archive(path)
    assert str(path) in str(caught.value)
    assert "nothing was restored" in str(caught.value)
    return str(caught.value.details["why"])


def spoiled(name: str, content: bytes = b"", spoil: Spoil = lambda _header: None) -> bytes:
    """Return one entry of a tar archive, as somebody else would make it."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    spoil(header)
    return header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + content + bytes(-len(content) % 512)


def test_what_went_in_comes_out_and_tar_itself_reads_it(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    archive = read_archive(path)
    assert {each.name: each.sha256 for each in archive.manifest.files} == {
        name: hashlib.sha256(each).hexdigest() for name, each in CONTENT.items()
    }
    with path.open("rb") as file:
        for name, content in CONTENT.items():
            target = io.BytesIO()
            archive.extract(file, name, target)
            assert target.getvalue() == content
    listed = subprocess.run(["tar", "tf", path], check=True, capture_output=True, text=True).stdout.split()
    assert listed == [*CONTENT, "manifest.json", "manifest.seal"]
    assert path.stat().st_size % 10_240 == 0


def test_the_seal_belongs_to_its_manifest_and_to_its_key(tmp_path: Path) -> None:
    archive = read_archive(written(tmp_path / "b.tar"))
    assert archive.is_sealed_with(KEY)
    assert not archive.is_sealed_with(bytes(32))
    other = read_archive(written(tmp_path / "c.tar", rows={"orders": 10}))
    assert other.seal != archive.seal


@given(contents=st.dictionaries(st.from_regex(r"vault/[a-z0-9_]{4,60}", fullmatch=True), st.binary(max_size=3000)))
@same_folder
def test_any_content_comes_out_as_it_went_in(tmp_path: Path, contents: dict[str, bytes]) -> None:
    path = written(tmp_path / "b.tar", {"database.sqlite3": b"x", **contents})
    archive = read_archive(path)
    with path.open("rb") as file:
        for name, content in contents.items():
            target = io.BytesIO()
            archive.extract(file, name, target)
            assert target.getvalue() == content


@given(position=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
@same_folder
def test_one_bit_that_is_another_is_noticed_wherever_it_is(tmp_path: Path, position: int, bit: int) -> None:
    content = bytearray(written(tmp_path / "b.tar").read_bytes())
    content[position % len(content)] ^= 1 << bit
    (tmp_path / "changed.tar").write_bytes(content)
    try:
        archive = read_archive(tmp_path / "changed.tar")
    except (DamagedArchiveError, NewerArchiveError):
        return
    # The seal, or a word of the manifest that nothing else tells: who restores it checks the seal before all else.
    assert not archive.is_sealed_with(KEY)


@given(length=st.integers(min_value=0))
@same_folder
def test_an_archive_that_was_cut_off_anywhere_is_refused(tmp_path: Path, length: int) -> None:
    content = written(tmp_path / "b.tar").read_bytes()
    end = content.rindex(b"manifest.seal")
    # Of the zeros at the very end some may be missing: they say nothing.
    (tmp_path / "cut.tar").write_bytes(content[: length % (end + 1024)])
    assert why_refused(tmp_path / "cut.tar")


def test_something_added_after_the_end_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    path.write_bytes(path.read_bytes() + bytes(1024) + spoiled("DEMO"))
    assert "after its end" in why_refused(path)


def test_something_in_the_gap_behind_a_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(written(tmp_path / "b.tar").read_bytes())
    content[content.index(b"{}") + 100] = 1
    (tmp_path / "b.tar").write_bytes(content)
    assert "after checkpoints/2026-03-01.json" in why_refused(tmp_path / "b.tar")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x",
        "/etc/passwd",
        "vault/../../keys.json",
        "vault/..",
        "vault/.hidden",
        "renditions//x",
        "renditions/a/b/c/d",
        "vault\\..\\x",
        "register.sqlite3",
        "register.sqlite3-wal",
        "keys.json/x",
        "vault/a\nb",
        "",
        ".",
    ],
)
def test_a_name_that_no_backup_holds_is_refused(tmp_path: Path, name: str) -> None:
    assert not may_hold(name)
    path = written(tmp_path / "b.tar")
    path.write_bytes(spoiled(name, b"gotcha") + path.read_bytes())
    assert "no backup holds a file called" in why_refused(path)


def test_a_name_that_reaches_outside_by_the_prefix_of_its_header_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    header = tarfile.TarInfo("../" * 20 + "x" * 60)
    path.write_bytes(header.tobuf(tarfile.USTAR_FORMAT) + path.read_bytes())
    assert "no backup holds a file called" in why_refused(path)


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
        tarfile.CONTTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        b"Z",
    ],
)
def test_whatever_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    def spoil(header: tarfile.TarInfo) -> None:
        header.type = kind
        header.linkname = "/etc/passwd" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""

    path = written(tmp_path / "b.tar")
    path.write_bytes(spoiled("vault/doc_ffff", spoil=spoil) + path.read_bytes())
    assert "not a plain file" in why_refused(path)


def with_size(size: int) -> Spoil:
    def spoil(header: tarfile.TarInfo) -> None:
        header.size = size

    return spoil


@pytest.mark.parametrize(
    ("size", "said"), [(1 << 60, "cut off"), (1 << 33, "cut off"), (-512, "plain file"), (-(1 << 40), "plain file")]
)
def test_a_size_that_cannot_be_is_refused(tmp_path: Path, size: int, said: str) -> None:
    path = written(tmp_path / "b.tar")
    path.write_bytes(spoiled("vault/doc_ffff", spoil=with_size(size)) + path.read_bytes())
    assert said in why_refused(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_compressed_archive_is_refused_and_not_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = written(tmp_path / "b.tar")
    path.write_bytes(pack(path.read_bytes() + bytes(1 << 20)))
    assert "no tar archive" in why_refused(path) or "cut off" in why_refused(path)


@pytest.mark.parametrize("content", [b"", b"\x00" * 10_240, b"not an archive", b"x" * 10_240])
def test_whatever_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tar").write_bytes(content)
    assert why_refused(tmp_path / "b.tar")


def test_a_file_that_is_there_twice_or_not_in_the_manifest_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    whole = path.read_bytes()
    path.write_bytes(spoiled("DEMO", b"") + whole)
    assert why_refused(path) == "DEMO is in it twice"
    path.write_bytes(spoiled("vault/doc_ffff", b"new") + whole)
    assert why_refused(path) == "vault/doc_ffff is not in its manifest"


def test_a_file_that_is_missing_or_another_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    entry = spoiled("vault/doc_0123456789ab", CONTENT["vault/doc_0123456789ab"], at_our_time)
    whole = path.read_bytes()
    assert entry in whole
    path.write_bytes(whole.replace(entry, b""))
    assert why_refused(path) == "vault/doc_0123456789ab is missing"
    path.write_bytes(whole.replace(entry, spoiled("vault/doc_0123456789ab", b"another")))
    assert why_refused(path) == "vault/doc_0123456789ab is not what the manifest says"


def at_our_time(header: tarfile.TarInfo) -> None:
    header.mode, header.mtime = 0o600, int(NOW.timestamp())


@pytest.mark.parametrize(
    "content", [{}, {"database.dump": b"x"}, {"database.sqlite3": b"x", "database.dump": b"x"}], ids=len
)
def test_an_archive_without_the_database_that_it_names_is_refused(tmp_path: Path, content: dict[str, bytes]) -> None:
    assert "database" in why_refused(written(tmp_path / "b.tar", content))


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"form": 1}', b'{"form": "x"}', b"\xff", b"[" * 100_000])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path, manifest: bytes) -> None:
    path = tmp_path / "b.tar"
    path.write_bytes(spoiled("manifest.json", manifest) + spoiled("manifest.seal", b"00") + bytes(1024))
    assert why_refused(path) == "its manifest cannot be read"


def test_a_form_of_the_future_says_that_the_gateway_must_be_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "b.tar"
    future = b'{"form": 2, "something": "new"}'
    path.write_bytes(spoiled("manifest.json", future) + spoiled("manifest.seal", b"00") + bytes(1024))
    with pytest.raises(NewerArchiveError, match="form 2"):
        read_archive(path)


def test_a_file_that_changes_between_checking_and_restoring_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "b.tar")
    archive = read_archive(path)
    with path.open("r+b") as file:
        file.seek(archive.places["database.sqlite3"].offset)
        file.write(b"x")
    with path.open("rb") as file, pytest.raises(DamagedArchiveError, match="changed"):
        archive.extract(file, "database.sqlite3", io.BytesIO())


def test_a_file_that_shrinks_while_it_is_read_fails_the_backup(tmp_path: Path) -> None:
    with (tmp_path / "b.tar").open("wb") as file, pytest.raises(EOFError, match="shorter"):
        ArchiveWriter(file, NOW).add("DEMO", io.BytesIO(b"short"), 6)
