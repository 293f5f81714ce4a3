"""Recordings in the console: what a browser records is taken, and whatever is no recording is refused in the form."""

import io
import struct
from typing import Any, cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from gateway.audit.tags import Tag
from gateway.domain.rights import Role
from tests.audio.sounds import encoded, speech, tone
from tests.console.scene import Console, errors_of, text_of
from tests.console.test_notices import an_order, an_order_of_a_person, of, parsed, proposed, told

RECORDING = "en/recording"


class Pipe(io.RawIOBase):
    """What a browser records into: it can only go on, and no length is written into its beginning."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  (whatever is a buffer)
        self.content += bytes(data)
        return len(data)


def recorded_in_a_browser(seconds: float = 3.0) -> bytes:
    """Return Opus in WebM as MediaRecorder makes it: in clusters, without a length."""
    pipe = Pipe()
    samples = np.rint(speech(seconds) * 32767).astype(np.int16)
    with av.open(cast("Any", pipe), "w", format="webm", options={"live": "1"}) as file:
        stream = file.add_stream("libopus", rate=48_000, layout="mono")
        assert isinstance(stream, AudioStream)
        for at in range(0, samples.size, 960):
            frame = av.AudioFrame.from_ndarray(samples[at : at + 960].reshape(1, -1), "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return bytes(pipe.content)


@pytest.fixture
def here(sqlite_console: Console) -> Console:
    """A console over the demo on SQLite alone."""
    return sqlite_console


def test_what_a_browser_records_is_taken_and_heard_as_the_telephone_plays_it(console: Console) -> None:
    order_id, clerk = an_order(console), console.somebody(Role.CLERK)
    sound = recorded_in_a_browser()
    assert b"\x44\x89" not in sound[:400], "the header names a length (Matroska element 0x4489)"
    sent = clerk.send(of(order_id, RECORDING), recording=("recording.webm", sound))
    assert sent.status_code == 303, errors_of(sent)
    (proposal,) = proposed(console, order_id)
    assert proposal.part.rendition.seconds == pytest.approx(3.0, abs=0.3)
    page = clerk.get(of(order_id, "en/proposal"))
    assert "This is a recording" in text_of(page)
    heard = clerk.get(of(order_id, "en/proposal.wav"))
    assert struct.unpack_from("<HHI", heard.data, 20) == (7, 1, 8000)


def test_a_recording_that_is_sent_twice_is_proposed_once(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    page, sound = clerk.get(of(order_id, RECORDING)), encoded(speech(2.0))
    for _ in range(2):
        assert clerk.send_as_seen(of(order_id, RECORDING), page, recording=("a.wav", sound)).status_code == 303
    other = clerk.send_as_seen(of(order_id, RECORDING), page, recording=("a.wav", encoded(speech(2.5))))
    assert other.status_code == 409
    assert told(here, order_id, Tag.NOTICE_PROPOSED) == 1


def test_as_long_may_be_recorded_as_the_other_languages_leave(here: Console) -> None:
    clerk = here.somebody(Role.CLERK)

    def limit(order_id: str, language: str) -> str:
        page = parsed(clerk.get(of(order_id, f"{language}/recording")))
        return str(page.get_element_by_id("recorder").get("data-limit"))

    company, person = an_order(here), an_order_of_a_person(here)
    assert (limit(company, "en"), limit(company, "zh"), limit(person, "en")) == ("20", "19", "60")
    assert "the others last 1.0 s" in text_of(clerk.get(of(company, "zh/recording")))


MALICIOUS = {
    "a page": (b"<!doctype html><script>alert(1)</script>", "not an audio file"),
    "a picture with a script": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "not an audio file"),
    "a playlist": (b"ffconcat version 1.0\nfile /etc/passwd\n", "not an audio file"),
    "a playlist of addresses": (b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:1/\n#EXT-X-ENDLIST\n", "not an audio file"),
    "an archive": (b"PK\3\4" + bytes(5_000), "not an audio file"),
    "nothing": (b"", "empty"),
    "a bomb": (encoded(np.zeros(8_000 * 1_000, dtype=np.float32), "flac", "flac", rate=8_000), "more than 60 s"),
    "a sound that callers would wait for": (encoded(tone(500, 25.0, rate=8_000), rate=8_000), "20"),
    "a half recording": (recorded_in_a_browser(1.0)[:300], "audio|damaged|too short|empty"),
}


@pytest.mark.parametrize("case", MALICIOUS)
def test_a_bad_upload_is_refused_in_the_form_and_leaves_nothing(here: Console, case: str) -> None:
    content, why = MALICIOUS[case]
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    root = here.desk.office.studio.library.root
    before = set(root.rglob("*"))
    refused = clerk.send(of(order_id, RECORDING), recording=("../../notice.mp3", content))
    assert refused.status_code == 422
    assert any(word in errors_of(refused)[0] for word in why.split("|"))
    assert "notice.mp3" not in text_of(refused)
    assert "/tmp" not in refused.text  # noqa: S108  (no path of ours in what a reader sees)
    assert proposed(here, order_id) == []
    if case != "a sound that callers would wait for":
        assert set(root.rglob("*")) == before


def test_a_file_that_is_missing_or_beyond_all_bounds_is_refused(here: Console) -> None:
    order_id, clerk = an_order(here), here.somebody(Role.CLERK)
    missing = clerk.send(of(order_id, RECORDING))
    assert (missing.status_code, errors_of(missing)) == (422, ["Choose a sound file, or record one"])
    large = clerk.client.post(
        f"/console{of(order_id, RECORDING)}",
        environ_overrides={"CONTENT_LENGTH": "20100000"},
        content_type="multipart/form-data; boundary=x",
    )
    assert large.status_code == 413
    assert "choose a smaller file" in text_of(large)
