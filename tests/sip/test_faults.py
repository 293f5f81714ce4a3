"""Promise 1 over SIP: whatever fails, every call connects, within 600 ms where no notice was playing."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from tests.sip.house import FREE, PUBLIC
from tests.sip.valve import Mode
from tests.sip.works import CALLS, Works, the_works

PROMISED = 0.6


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory, toned_demo: Path) -> Iterator[Works]:
    with the_works(tmp_path_factory.mktemp("works"), toned_demo) as built:
        yield built


@pytest.fixture(autouse=True)
def _well(works: Works) -> None:
    """Begin with everything in its place."""
    works.wait_until_well()


def test_nothing_has_failed(works: Works) -> None:
    attempts = works.call(FREE)
    works.complete(attempts)
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    assert works.edge.ways()["decided"] >= CALLS


@pytest.mark.parametrize("mode", [mode for mode in get_args(Mode) if mode != "pass"])
def test_a_gateway_that_fails(works: Works, mode: Mode) -> None:
    works.valve.mode = mode
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.valve.mode = "pass"
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_a_gateway_whose_database_is_away(works: Works) -> None:
    database = works.server.settings.sqlite_path
    away = database.with_suffix(".away")
    database.rename(away)
    database.mkdir()
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        database.rmdir()
        away.rename(database)
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_a_bridge_that_is_gone(works: Works) -> None:
    with works.without(works.bridge):
        works.edge.wait_for_bridge("absent")
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    assert max(works.seconds_to_connect(attempts)) < 0.2


def test_a_bridge_that_is_stopped(works: Works) -> None:
    works.bridge.pause()
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.bridge.resume()
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_a_bridge_that_is_killed_during_notices(works: Works) -> None:
    attempts = works.call(PUBLIC)
    for attempt in attempts[-10:]:
        works.caller.response(attempt, 183)
    with works.without(works.bridge):
        killed = time.monotonic()
        for attempt in attempts:
            assert works.callee.invited(attempt).at - killed < 0.5
        works.complete(attempts)


def test_an_rtpengine_that_is_gone(works: Works) -> None:
    with works.without(works.edge.rtpengine):
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    # The parties talk directly.
    assert works.callee.invited(attempts[-1]).audio_port == 40_000


def test_an_rtpengine_that_is_stopped(works: Works) -> None:
    works.edge.rtpengine.pause()
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.edge.rtpengine.resume()
    assert max(works.seconds_to_connect(attempts)) < PROMISED


def test_an_rtpengine_that_is_killed_during_notices(works: Works) -> None:
    attempts = works.call(PUBLIC)
    for attempt in attempts[-10:]:
        works.caller.response(attempt, 183)
    with works.without(works.edge.rtpengine):
        works.complete(attempts)


def test_recordings_that_are_missing(works: Works) -> None:
    away = works.sounds.with_name("away")
    away.mkdir()
    for each in works.sounds.glob("*.wav"):
        each.rename(away / each.name)
    works.valve.gives_recordings = False
    try:
        attempts = works.call(PUBLIC)
        works.complete(attempts)
    finally:
        works.valve.gives_recordings = True
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    calls = {attempt.call_id for attempt in attempts}
    assert not [each for each in works.caller.seen if each.code == 183 and each.header("Call-ID") in calls]
    # What is missed is fetched for the next call.
    works.wait_until_well()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" + bytes(4000)], ids=["empty", "cut off", "ogg"])
def test_recordings_that_are_none(works: Works, content: bytes) -> None:
    kept = {each: each.read_bytes() for each in works.sounds.glob("?" * 64 + ".wav")}
    works.valve.gives_recordings = False
    for each in kept:
        each.write_bytes(content)
    try:
        attempts = works.call(PUBLIC, CALLS // 3)
        works.complete(attempts)
    finally:
        works.valve.gives_recordings = True
        for each, before in kept.items():
            each.write_bytes(before)
    assert max(works.seconds_to_connect(attempts)) < PROMISED
    assert works.edge.rtpengine.lives
