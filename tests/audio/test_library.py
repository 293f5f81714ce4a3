import hashlib
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.audio.errors import NotWavError
from gateway.audio.library import Library
from gateway.clock import utc_now
from tests.audio.sounds import a_file, encoded, tone

A_WAV = encoded(tone(440, 0.1))
ITS_SHA256 = hashlib.sha256(A_WAV).hexdigest()


def everything_in(library: Library) -> list[Path]:
    return [path for path in library.root.rglob("*") if path.is_file()] if library.root.exists() else []


def test_content_is_found_by_its_sha256(library: Library, tmp_path: Path) -> None:
    assert library.add(a_file(tmp_path, A_WAV)) == ITS_SHA256
    path = library.path_of(ITS_SHA256, "wav")
    assert path == library.root / ITS_SHA256[:2] / f"{ITS_SHA256}.wav"
    assert path.read_bytes() == A_WAV


def test_adding_the_same_content_again_leaves_the_first_file_and_makes_it_young(
    library: Library, tmp_path: Path
) -> None:
    library.add(a_file(tmp_path, A_WAV, "one.wav"))
    path = library.root / ITS_SHA256[:2] / f"{ITS_SHA256}.wav"
    inode, began = path.stat().st_ino, utc_now() - timedelta(seconds=1)
    os.utime(path, (0, 0))
    assert list(library.older_than(began)) == [ITS_SHA256]
    library.add(a_file(tmp_path, A_WAV, "two.wav"))
    assert (path.stat().st_ino, path.read_bytes()) == (inode, A_WAV)
    assert list(library.older_than(began)) == []
    assert len(everything_in(library)) == 1


def test_threads_adding_the_same_content_at_once_all_succeed(library: Library, tmp_path: Path) -> None:
    source, results = a_file(tmp_path, A_WAV), list[str]()
    threads = [threading.Thread(target=lambda: results.append(library.add(source))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [ITS_SHA256] * 8
    assert len(everything_in(library)) == 1


def test_content_that_is_not_wav_is_refused_and_leaves_nothing(library: Library, tmp_path: Path) -> None:
    for content in (b"", b"RIFF", b"RIFF\0\0\0\0AVI " + bytes(100), b"ID3" + bytes(100)):
        with pytest.raises(NotWavError):
            library.add(a_file(tmp_path, content, "named.wav"))
    assert everything_in(library) == []


def test_a_failed_write_leaves_no_file_under_the_final_name(library: Library, tmp_path: Path) -> None:
    library.root.mkdir()
    # The shard's name is taken by a file, so that the last step fails.
    (library.root / ITS_SHA256[:2]).write_text("in the way")
    with pytest.raises(OSError, match=r"exists|directory"):
        library.add(a_file(tmp_path, A_WAV))
    assert library.path_of(ITS_SHA256, "wav") is None
    assert [path.name for path in everything_in(library)] == [ITS_SHA256[:2]]


def test_an_unfinished_copy_cannot_be_fetched(library: Library, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, A_WAV[:40])
    adding = threading.Thread(target=lambda: library.add(Path(f"/dev/fd/{reader}")))
    adding.start()
    assert library.path_of(ITS_SHA256, "wav") is None
    os.write(writer, A_WAV[40:])
    os.close(writer)
    adding.join()
    os.close(reader)
    assert library.path_of(ITS_SHA256, "wav") is not None
    assert tmp_path.exists()


@pytest.mark.parametrize(
    ("sha256", "extension"),
    [
        ("0" * 64, "wav"),
        (ITS_SHA256.upper(), "wav"),
        (ITS_SHA256[:-1], "wav"),
        (ITS_SHA256 + "0", "wav"),
        (ITS_SHA256 + "\n", "wav"),
        (ITS_SHA256, "mp3"),
        (ITS_SHA256, ".wav"),
        (ITS_SHA256, "wav\n"),
        (ITS_SHA256, "WAV"),
        (ITS_SHA256, "wav/../secret"),
        ("../" + ITS_SHA256, "wav"),
        ("../../../../etc/passwd", ""),
        ("..", "wav"),
        ("", "wav"),
        ("\0" * 64, "wav"),
    ],
)
def test_anything_but_the_exact_name_of_stored_content_is_absent(
    library: Library, tmp_path: Path, sha256: str, extension: str
) -> None:
    library.add(a_file(tmp_path, A_WAV))
    assert library.path_of(sha256, extension) is None
