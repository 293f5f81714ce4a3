"""The library of several hosts, over a real S3 server: what one adds all find, and no trouble there hangs here."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.api import prompts
from gateway.audio.shared_library import SharedLibrary
from gateway.bucket import Bounds, Bucket, StorageError
from gateway.clock import utc_now
from tests.audio.sounds import a_file, encoded, tone
from tests.object_storage import CREDENTIALS, Storage, line_to, running_storage

A_WAV = encoded(tone(440, 0.1))
ITS_SHA256 = hashlib.sha256(A_WAV).hexdigest()
NAME = f"renditions/{ITS_SHA256[:2]}/{ITS_SHA256}.wav"
DAY = timedelta(days=1)
# As in production, with shorter waits.
BRISK = Bounds(quick=2.0, slow=5.0, quick_patience=0.05, slow_patience=0.05, rest=0.3)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with running_storage() as server:
        yield server


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@dataclass(slots=True)
class Clock:
    """A clock that a test sets forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """A bucket, and hosts with folders of their own that share it."""

    storage: Storage
    url: str
    folder: Path
    clock: Clock
    opened: list[Bucket]

    def host(self, name: str, *, endpoint: str = "", room: int = 10_000_000, bounds: Bounds = BRISK) -> SharedLibrary:
        bucket = Bucket(self.url, endpoint or self.storage.endpoint, bounds=bounds)
        self.opened.append(bucket)
        return SharedLibrary(self.folder / name, bucket=bucket, room=room, clock=self.clock)

    @property
    def stored(self) -> bytes | None:
        return self.storage.content(self.url, NAME)


@pytest.fixture
def hosts(storage: Storage, tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(storage=storage, url=storage.make_bucket(), folder=tmp_path, clock=Clock(), opened=[])
    yield made
    storage.thaw()
    for bucket in made.opened:
        bucket.close()


def files_of(library: SharedLibrary) -> list[Path]:
    return [path for path in library.root.rglob("*") if path.is_file()] if library.root.exists() else []


def served(library: SharedLibrary, missing: Callable[[str], None] = lambda _why: None) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(prompts.make_blueprint(library, missing))
    return app.test_client()


def test_what_one_host_adds_is_found_by_another(hosts: Hosts, tmp_path: Path) -> None:
    one, other = hosts.host("one"), hosts.host("other")
    assert other.path_of(ITS_SHA256, "wav") is None
    assert one.add(a_file(tmp_path, A_WAV)) == ITS_SHA256
    path = other.path_of(ITS_SHA256, "wav")
    assert path is not None
    assert path.read_bytes() == A_WAV == hosts.stored
    assert path.is_relative_to(other.root)
    assert (one.holds(ITS_SHA256), other.holds(ITS_SHA256), other.holds("0" * 64)) == (True, True, False)


def test_adding_the_same_content_again_changes_nothing(hosts: Hosts, tmp_path: Path) -> None:
    one = hosts.host("one")
    for name in ("a.wav", "b.wav"):
        one.add(a_file(tmp_path, A_WAV, name))
    assert hosts.stored == A_WAV
    assert len(files_of(one)) == 1


def test_what_was_fetched_once_is_served_while_the_storage_does_not_answer(hosts: Hosts, tmp_path: Path) -> None:
    one, other = hosts.host("one"), hosts.host("other")
    one.add(a_file(tmp_path, A_WAV))
    assert other.path_of(ITS_SHA256, "wav") is not None
    hosts.storage.freeze()
    for ahead in (timedelta(), 3 * DAY):
        hosts.clock.ahead = ahead
        begun = time.monotonic()
        path = other.path_of(ITS_SHA256, "wav")
        assert path is not None
        assert path.read_bytes() == A_WAV
        assert time.monotonic() - begun < 3.5
    # Having asked in vain, it does not ask again with every call.
    time.sleep(BRISK.rest)
    begun = time.monotonic()
    assert other.path_of(ITS_SHA256, "wav") is not None
    assert time.monotonic() - begun < 0.2


def test_what_was_never_fetched_is_an_error_inside_a_bound_while_the_storage_does_not_answer(
    hosts: Hosts, tmp_path: Path
) -> None:
    one, other = hosts.host("one"), hosts.host("other")
    one.add(a_file(tmp_path, A_WAV))
    assert other.path_of("0" * 64, "wav") is None
    hosts.storage.freeze()
    begun = time.monotonic()
    with pytest.raises(StorageError, match=NAME):
        other.path_of(ITS_SHA256, "wav")
    assert time.monotonic() - begun < 3.5
    begun = time.monotonic()
    with pytest.raises(StorageError, match="a moment ago"):
        other.path_of(ITS_SHA256, "wav")
    assert time.monotonic() - begun < 0.1
    hosts.storage.thaw()
    time.sleep(BRISK.rest)
    assert other.path_of(ITS_SHA256, "wav") is not None


def test_only_so_many_fetches_wait_for_the_storage_at_once(hosts: Hosts) -> None:
    other = hosts.host("other", bounds=Bounds(quick=2.0, quick_places=2, quick_patience=0.05, rest=0.01))
    assert other.path_of("0" * 64, "wav") is None
    hosts.storage.freeze()

    def seconds(number: int) -> float:
        begun = time.monotonic()
        with pytest.raises(StorageError):
            other.path_of(f"{number:064x}", "wav")
        return time.monotonic() - begun

    with ThreadPoolExecutor(6) as threads:
        taken = sorted(threads.map(seconds, range(6)))
    assert max(taken[:4]) < 0.5
    assert max(taken) < 3.5


def test_an_upload_that_breaks_off_is_refused_and_seen_by_nobody(hosts: Hosts, tmp_path: Path) -> None:
    recording = encoded(tone(440, 3.0))
    sha256 = hashlib.sha256(recording).hexdigest()
    with line_to(hosts.storage) as line:
        one, other = hosts.host("one", endpoint=line.endpoint), hosts.host("other")
        line.cut_after = len(recording) // 2
        with pytest.raises(StorageError):
            one.add(a_file(tmp_path, recording))
        assert line.sent > len(recording) // 2
        assert files_of(one) == []
        assert hosts.storage.content(hosts.url, f"renditions/{sha256[:2]}/{sha256}.wav") is None
        assert other.path_of(sha256, "wav") is None
        line.cut_after = None
        time.sleep(BRISK.rest)
        one.add(a_file(tmp_path, recording))
        assert other.path_of(sha256, "wav") is not None
        hosts.opened[0].close()


@pytest.mark.parametrize("content", [A_WAV[:-1], b"", A_WAV + b"\0", b"RIFF another sound altogether"])
def test_an_object_whose_hash_is_another_is_absent_and_adding_it_again_heals_it(
    hosts: Hosts, tmp_path: Path, content: bytes
) -> None:
    one, other = hosts.host("one"), hosts.host("other")
    hosts.storage.overwrite(hosts.url, NAME, content)
    assert other.path_of(ITS_SHA256, "wav") is None
    assert files_of(other) == []
    one.add(a_file(tmp_path, A_WAV))
    path = other.path_of(ITS_SHA256, "wav")
    assert path is not None
    assert path.read_bytes() == A_WAV


@pytest.mark.parametrize(
    ("sha256", "extension"),
    [
        (ITS_SHA256.upper(), "wav"),
        (ITS_SHA256[:-1], "wav"),
        (ITS_SHA256 + "\n", "wav"),
        (ITS_SHA256, "mp3"),
        (ITS_SHA256, "wav/../../vault/doc_0123456789ab"),
        ("../" + ITS_SHA256, "wav"),
        ("../../vault/doc_0123456789ab", ""),
        ("\0" * 64, "wav"),
    ],
)
def test_odd_names_are_absent_and_the_storage_is_not_asked(hosts: Hosts, sha256: str, extension: str) -> None:
    with line_to(hosts.storage) as line:
        library = hosts.host("one", endpoint=line.endpoint)
        assert library.path_of(sha256, extension) is None
        assert line.sent == 0


@pytest.mark.parametrize("name", ["../x", "renditions/../vault/x", "a//b", "", "/etc/passwd", "./x"])
def test_a_bucket_refuses_names_that_lead_elsewhere(hosts: Hosts, tmp_path: Path, name: str) -> None:
    bucket = hosts.host("one").bucket
    with pytest.raises(StorageError, match="such a name"):
        bucket.put(name, a_file(tmp_path, A_WAV))
    with pytest.raises(StorageError, match="such a name"):
        bucket.fetch(name, tmp_path / "target")


def test_the_copies_here_are_bounded_and_those_unused_for_longest_go_first(hosts: Hosts, tmp_path: Path) -> None:
    sounds = [encoded(tone(300 + 10 * each, 0.1)) for each in range(4)]
    one = hosts.host("one", room=3 * len(sounds[0]) + 100)
    names: list[str] = []
    for each in sounds:
        names.append(one.add(a_file(tmp_path, each, f"{len(names)}.wav")))
        hosts.clock.ahead += timedelta(minutes=5)
        assert one.path_of(names[0], "wav") is not None
    kept = {path.stem for path in files_of(one)}
    assert kept == {names[0], names[2], names[3]}
    assert one.path_of(names[1], "wav") is not None


def test_copies_in_use_stay_even_where_there_is_no_room(hosts: Hosts, tmp_path: Path) -> None:
    one = hosts.host("one", room=10)
    names = [one.add(a_file(tmp_path, encoded(tone(each, 0.1)), f"{each}.wav")) for each in (300, 400)]
    assert {path.stem for path in files_of(one)} == set(names)


def test_copies_that_nobody_asked_for_in_a_week_go(hosts: Hosts, tmp_path: Path) -> None:
    one = hosts.host("one")
    first = one.add(a_file(tmp_path, A_WAV))
    hosts.clock.ahead = 8 * DAY
    second = one.add(a_file(tmp_path, encoded(tone(300, 0.1)), "second.wav"))
    assert {path.stem for path in files_of(one)} == {second}
    assert one.path_of(first, "wav") is not None


def test_what_is_removed_for_good_is_gone_from_other_hosts_when_they_ask_after_a_day(
    hosts: Hosts, tmp_path: Path
) -> None:
    one, other = hosts.host("one"), hosts.host("other")
    one.add(a_file(tmp_path, A_WAV))
    assert other.path_of(ITS_SHA256, "wav") is not None
    assert list(one.older_than(utc_now() - DAY)) == []
    assert list(one.older_than(utc_now() + DAY)) == [ITS_SHA256]
    one.remove(ITS_SHA256)
    one.remove(ITS_SHA256)
    assert (hosts.stored, one.path_of(ITS_SHA256, "wav"), list(one.older_than(utc_now() + DAY))) == (None, None, [])
    hosts.clock.ahead = DAY
    assert other.path_of(ITS_SHA256, "wav") is None
    assert files_of(other) == []


def test_a_bucket_that_is_not_there_is_named(hosts: Hosts, tmp_path: Path) -> None:
    bucket = Bucket("s3://no-such-bucket-anywhere/court", hosts.storage.endpoint, bounds=BRISK)
    with pytest.raises(StorageError, match="no such bucket"):
        bucket.demand()
    with pytest.raises(StorageError, match="no such bucket"):
        bucket.put("renditions/x", a_file(tmp_path, A_WAV))
    bucket.close()
    hosts.host("one").bucket.demand()


def test_a_rendition_from_the_storage_is_served_whole_in_ranges_and_for_ever(hosts: Hosts, tmp_path: Path) -> None:
    hosts.host("one").add(a_file(tmp_path, A_WAV))
    browser = served(hosts.host("other"))
    address = f"/prompts/{ITS_SHA256}.wav"
    for _again in range(2):
        whole = browser.get(address, buffered=True)
        assert (whole.status_code, whole.data, whole.content_type) == (200, A_WAV, "audio/wav")
        assert whole.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        part = browser.get(address, headers={"Range": "bytes=4-7"}, buffered=True)
        assert (part.status_code, part.data) == (206, A_WAV[4:8])
        assert browser.get(address, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True).status_code == 304
    assert ITS_SHA256 in whole.headers["ETag"]


def test_a_rendition_that_is_not_here_is_tried_again_later_while_the_storage_is_away(
    hosts: Hosts, tmp_path: Path
) -> None:
    hosts.host("one").add(a_file(tmp_path, A_WAV))
    missing: list[str] = []
    browser = served(hosts.host("other"), missing.append)
    assert browser.get(f"/prompts/{'0' * 64}.wav", buffered=True).status_code == 404
    hosts.storage.freeze()
    answer = browser.get(f"/prompts/{ITS_SHA256}.wav", buffered=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert missing == ["unknown", "storage away"]
    assert "cache-control" not in answer.headers
    hosts.storage.thaw()
    time.sleep(BRISK.rest)
    assert browser.get(f"/prompts/{ITS_SHA256}.wav", buffered=True).status_code == 200


def test_a_gateway_without_a_bucket_never_imports_what_speaks_to_one() -> None:
    told = (
        "import sys, gateway.app; print([each for each in ('s3fs', 'aiobotocore', 'aiohttp') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "[]"


def test_a_process_that_used_a_bucket_ends_at_once_and_without_a_warning(hosts: Hosts, tmp_path: Path) -> None:
    told = (
        "import sys; from pathlib import Path; from gateway.bucket import Bucket\n"
        "bucket = Bucket(*sys.argv[1:3]); bucket.put('renditions/x', Path(sys.argv[3]))\n"
        "print(bucket.has('renditions/x'))"
    )
    arguments = [hosts.url, hosts.storage.endpoint, str(a_file(tmp_path, A_WAV))]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", told, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=_environment(),
        timeout=30,
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, **CREDENTIALS}
