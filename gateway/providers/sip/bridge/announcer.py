"""The SDP of the announcer, who answers a caller in the callee's place: nobody sends for him, rtpengine plays.

He takes of the caller's codecs those that rtpengine can surely play in, and keys as RFC 4733 has them.
"""

import re

from gateway.providers.sip.bridge.errors import MediaError

# RFC 3551, table 4: payload types that need no rtpmap.
_STATIC = {"0", "8", "9"}
_NAMED = re.compile(
    r"a=rtpmap:(\d{1,3}) (PCMU/8000|PCMA/8000|G722/8000|opus/48000/2|telephone-event/8000)", re.IGNORECASE
)
_ABOUT = re.compile(r"a=(?:rtpmap|fmtp):(\d{1,3}) ")
_MEDIA = re.compile(r"m=(\w{1,16}) \d{1,5}(?:/\d+)? (\S{1,40}) (.{1,200})")
_HEAD = ("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0")
_NOWHERE = "9"


def announcers_answer(offer: str) -> str:
    """Return an answer that takes the first stream of sound in an offer. Raises MediaError where there is none."""
    sections: list[list[str]] = []
    for line in offer.splitlines():
        if line.startswith("m="):
            sections.append([line])
        elif sections:
            sections[-1].append(line)
    lines, taken = [*_HEAD], False
    for section in sections:
        accepted = [] if taken else _accepted(section)
        taken = taken or bool(accepted)
        lines += accepted or [_refused(section[0])]
    if not taken:
        raise MediaError(why="no codec in common")
    return "".join(f"{line}\r\n" for line in lines)


def _accepted(section: list[str]) -> list[str]:
    media = _MEDIA.fullmatch(section[0])
    if media is None or media[1] != "audio":
        return []
    playable = _STATIC | {named[1] for line in section if (named := _NAMED.fullmatch(line.strip())) is not None}
    formats = [each for each in media[3].split() if each in playable]
    keys = {named[1] for line in section if (named := _NAMED.fullmatch(line.strip())) and "telephone-event" in named[2]}
    if not set(formats) - keys:
        return []
    about = [line.strip() for line in section if (found := _ABOUT.match(line)) is not None and found[1] in formats]
    return [f"m=audio {_NOWHERE} {media[2]} {' '.join(formats)}", *about, "a=sendrecv"]


def _refused(line: str) -> str:
    """Refuse a stream: port zero, and otherwise as it was offered (RFC 3264, 6)."""
    media = _MEDIA.fullmatch(line)
    if media is None:
        raise MediaError(why="an SDP that cannot be read")
    return f"m={media[1]} 0 {media[2]} {media[3]}"
