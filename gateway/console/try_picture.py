"""The picture of one track of a tried call: its sound, what is heard when, and the keys, on the call's one clock."""

from collections.abc import Sequence

from flask_babel import gettext
from markupsafe import Markup

from gateway.console.notice_card import decimal, write_seconds
from gateway.console.try_words import is_heard_by, short
from gateway.console.waveform_picture import axis, opening, outline, place
from gateway.console.words import word
from gateway.workflows.simulate_call import Party
from gateway.workflows.try_script import TriedCall, TriedEntry, What

_BAND, _WAVE, _KEYS, _AXIS = 30, 56, 26, 20
_KINDS = {What.HEARS: "notice", What.HEARS_RINGING: "ringing", What.TALKS: "talk"}
_FILLS = {"notice": "#fff7bf", "ringing": "#eeefef", "talk": "#cce2d8"}
# What a party's telephone does at an instant; keys are marked by what they are.
_MARKED = {What.PRESSES}


def track(call: TriedCall, party: Party, peaks: Sequence[float]) -> Markup:
    """Draw what `party` hears; `peaks` are those of its whole recording. The line of class track__cursor is moved."""
    entries = [entry for entry in call.timeline if is_heard_by(entry, party)]
    keys = [entry for entry in call.timeline if entry.party is party and entry.what in _MARKED]
    top = _BAND + _WAVE
    height = top + _KEYS + _AXIS
    heard = "; ".join(
        str(
            gettext(
                "from %(at)s s for %(seconds)s s: %(what)s",
                at=decimal(entry.at),
                seconds=decimal(entry.seconds),
                what=short(entry),
            )
        )
        for entry in entries
    )
    title = gettext("%(party)s: what is heard when", party=word(party))
    return Markup("").join(
        (
            opening(f"track-{party.value}", height, title, heard or gettext("Nothing is heard."), "track"),
            *(_segment(entry, call.seconds) for entry in entries),
            outline(peaks, x="0", y=_BAND, width="100%", height=_WAVE),
            *(_key(entry, call.seconds, top) for entry in keys),
            axis(call.seconds, top=top + _KEYS, write=write_seconds),
            Markup(
                '<line class="track__cursor" x1="0%" y1="0" x2="0%" y2="{}" stroke="#d4351c" stroke-width="2"/>'
            ).format(top + _KEYS),
            Markup("</svg>"),
        )
    )


def _segment(entry: TriedEntry, seconds: float) -> Markup:
    """Draw a sound as a block behind its waveform; what of its name does not fit into it is cut off."""
    kind = _KINDS.get(entry.what, "notice")
    return Markup(
        '<svg class="track__segment" x="{x}" y="0" width="{width}" height="{height}">'
        '<rect class="track__{kind}" x="0" y="0" width="100%" height="100%" fill="{fill}" stroke="#505a5f"/>'
        '<text x="6" y="20" fill="#0b0c0c">{name}</text></svg>'
    ).format(
        x=place(entry.at, seconds),
        width=place(entry.seconds, seconds),
        height=_BAND + _WAVE,
        kind=kind,
        fill=_FILLS[kind],
        name=short(entry),
    )


def _key(entry: TriedEntry, seconds: float, top: int) -> Markup:
    where, y = place(entry.at, seconds), top + _KEYS // 2
    return Markup(
        '<line x1="{0}" y1="0" x2="{0}" y2="{1}" stroke="#0b0c0c" stroke-dasharray="3 3"/>'
        '<circle class="track__key" cx="{0}" cy="{2}" r="11" fill="#0b0c0c"/>'
        '<text x="{0}" y="{3}" text-anchor="middle" font-weight="700" fill="#ffffff">{4}</text>'
    ).format(where, top, y, y + 4, entry.digit)
