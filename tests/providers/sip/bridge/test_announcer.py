"""The announcer takes what rtpengine can play in, and answers every stream that was offered."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.sip.bridge.announcer import announcers_answer
from gateway.providers.sip.bridge.errors import MediaError

HEAD = "v=0\r\no=x 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def offer(*lines: str) -> str:
    return HEAD + "".join(f"{line}\r\n" for line in lines)


def streams(answer: str) -> list[str]:
    return [line for line in answer.splitlines() if line.startswith("m=")]


def test_codecs_that_can_be_played_are_taken_with_all_that_is_said_of_them() -> None:
    answer = announcers_answer(
        offer(
            "m=audio 4000 RTP/AVP 96 111 0 8 101",
            "a=rtpmap:96 EVS/16000",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 useinbandfec=1",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=sendonly",
        )
    )
    assert streams(answer) == ["m=audio 9 RTP/AVP 111 0 8 101"]
    assert "a=fmtp:111 useinbandfec=1" in answer
    assert "a=fmtp:101 0-15" in answer
    assert "EVS" not in answer
    assert "a=sendrecv" in answer


def test_every_stream_is_answered_and_only_the_first_of_sound_is_taken() -> None:
    answer = announcers_answer(offer("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 8"))
    assert streams(answer) == ["m=video 0 RTP/AVP 31", "m=audio 9 RTP/AVP 0", "m=audio 0 RTP/AVP 8"]


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("m=video 5000 RTP/AVP 31",),
        ("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 EVS/16000"),
        ("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"),
        ("m=audio",),
        ("m=", "m=audio 4000 RTP/AVP 0"),
    ],
)
def test_an_offer_with_nothing_to_play_in_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(MediaError):
        announcers_answer(offer(*lines))


@given(st.text(max_size=200) | st.lists(st.text("m=audio 0123RTP/AVP:a\n", max_size=30), max_size=6).map("\r\n".join))
def test_junk_is_refused_or_answered_and_never_an_error(junk: str) -> None:
    with suppress(MediaError):
        assert announcers_answer(junk).startswith("v=0\r\n")
