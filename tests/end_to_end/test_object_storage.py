"""Two gateways with folders of their own, one database and one bucket: what one approves the other plays."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.conftest import PostgresDemo
from tests.end_to_end.independent_twilio import Twilio
from tests.end_to_end.issuing import wait_until_known
from tests.end_to_end.server import Server, run, serving
from tests.object_storage import CREDENTIALS, Storage, running_storage
from tests.postgres import Postgres

# What docs/operations.md gives for moving what is there into a bucket.
MOVE = """
import os, sys, fsspec
folder, url = sys.argv[1:3]
bucket = fsspec.filesystem("s3", endpoint_url=os.environ.get("NOTICE_GATEWAY_STORAGE_ENDPOINT") or None)
for name in ("renditions", "vault"):
    if os.path.isdir(f"{folder}/{name}"):
        bucket.put(f"{folder}/{name}/", f"{url}/{name}/", recursive=True)
print(len(bucket.find(url)), "objects")
"""
LINE = "+12025550160"
PLAIN = "+12025550199"
# What a provider waits for at the most: to fetch a sound, and to be told what to do with a call.
FETCH_SECONDS = 5.0
# Less than a fetch may take (2.5 s): a call never waits for one. A busy machine answers no faster than it can.
CALL_MILLISECONDS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two gateways and what they share."""

    one: Server
    other: Server
    storage: Storage
    renditions: frozenset[str]


@pytest.fixture
def pair(real_postgres_demo: PostgresDemo, postgres: Postgres, tmp_path: Path) -> Iterator[Pair]:
    name = postgres.create(template=real_postgres_demo.database)
    folders = [Path(shutil.copytree(real_postgres_demo.folder, tmp_path / each)) for each in ("one", "other")]
    renditions = frozenset(path.stem for path in folders[0].glob("renditions/??/*.wav"))
    with running_storage() as storage:
        url = storage.make_bucket()
        moved = subprocess.run(
            [sys.executable, "-W", "error", "-c", MOVE, str(folders[0]), url],
            env={**CREDENTIALS, "NOTICE_GATEWAY_STORAGE_ENDPOINT": storage.endpoint},
            capture_output=True,
            text=True,
            check=True,
        )
        assert moved.stdout == f"{len(renditions)} objects\n"
        for folder in folders:
            shutil.rmtree(folder / "renditions")
        shared = {
            "others": CREDENTIALS,
            "database_url": postgres.url(name),
            "storage_url": url,
            "storage_endpoint": storage.endpoint,
        }
        with (
            serving(folders[0], tmp_path / "home-one", workers=2, **shared) as one,  # type: ignore[arg-type]  # settings
            serving(folders[1], tmp_path / "home-other", workers=2, **shared) as other,  # type: ignore[arg-type]
        ):
            yield Pair(one=one, other=other, storage=storage, renditions=renditions)
    postgres.drop(name)


def an_issued_order(server: Server, folder: Path) -> None:
    """Issue an order on the machine of `server`, with a notice that the voice speaks there."""
    document = folder / "order.pdf"
    document.write_bytes(b"%PDF-1.4 a judgment")
    issued = run(
        server.env, "orders", "issue", "--court", "lakeside", "--district", "lakeside-north", "--case", "2026-S3-1",
        "--organisation", "Specimen Haulage Incorporated", "--identifier", "ein:12-3456784", "--legal-form", "Inc.",
        "--line", f"{LINE}@America/New_York", "--line-evidence", "its own web page, seen today",
        "--authority", str(document), "--legal-basis", "A test's own law",
        "--drafted-by", "clerk", "--approved-by", "judge",
    )  # fmt: skip
    assert issued.returncode == 0, issued.stderr


def slowest(twilio: Twilio, calls: int) -> float:
    records = twilio.ring_at_once([PLAIN] * calls, lanes=4)
    assert all(record.is_plain for record in records)
    return max(record.webhooks[0].ms for record in records)


def test_a_notice_approved_on_one_host_is_played_by_another_and_goes_on_when_the_storage_is_gone(
    pair: Pair, tmp_path: Path
) -> None:
    twilio = pair.other.twilio()
    an_issued_order(pair.one, tmp_path)
    wait_until_known(twilio, LINE)
    record = twilio.ring(LINE)
    assert record.trouble == []
    (heard,) = record.prompts("callee")
    sha256 = Path(heard).stem
    assert sha256 not in pair.renditions
    assert len(list(pair.other.folder.glob("cache/??/*.wav"))) == 1

    pair.storage.process.kill()
    pair.storage.process.wait(30)
    # What was fetched before goes on being heard, by any worker and however often.
    for again in twilio.ring_at_once([LINE] * 20, lanes=4):
        assert again.prompts("callee") == [heard]
        assert again.trouble == []
    # What was not is refused inside a bound, and calls are connected meanwhile.
    never = sorted(pair.renditions)

    def fetch(sha256: str) -> tuple[int, float]:
        begun = time.monotonic()
        return pair.other.get(f"/prompts/{sha256}.wav").status_code, time.monotonic() - begun

    with ThreadPoolExecutor(8) as threads:
        fetched = threads.map(fetch, never[:24])
        assert slowest(twilio, 100) < CALL_MILLISECONDS
        results = list(fetched)
    assert {status for status, _seconds in results} == {503}
    assert max(seconds for _status, seconds in results) < FETCH_SECONDS
    doctor = run(pair.other.env, "doctor")
    assert "storage" in doctor.stdout + doctor.stderr
    twilio.client.close()


def test_calls_connect_in_time_while_the_storage_takes_requests_and_answers_none(pair: Pair) -> None:
    twilio = pair.other.twilio()
    never = sorted(pair.renditions)
    pair.storage.freeze()
    try:
        with ThreadPoolExecutor(16) as threads:
            begun = time.monotonic()
            fetched = [threads.submit(pair.other.get, f"/prompts/{never[each % len(never)]}.wav") for each in range(60)]
            assert slowest(twilio, 200) < CALL_MILLISECONDS
            assert {each.result().status_code for each in fetched} == {503}
            assert time.monotonic() - begun < 60
    finally:
        pair.storage.thaw()
    deadline = time.monotonic() + 30
    while pair.other.get(f"/prompts/{never[0]}.wav").status_code != 200:
        assert time.monotonic() < deadline, "the storage is back, and its renditions are not"
        time.sleep(0.5)
    twilio.client.close()
