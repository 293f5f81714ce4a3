"""The verdict on a recording: measurements in, objections out, each with its cure."""

from dataclasses import dataclass
from enum import Enum

# Each level is an RMS in 16-bit steps. RFC 7874, section 4, wants active speech at about 2600 (-19 dBm0). A recording
# 30 dB below that would be lifted with its noise until only the noise is heard.
SILENT_BELOW = 80.0
# The click of a microphone switched on and off is loud, but nothing is said in it.
ACTIVE_AT_LEAST = 0.2
# Speech normalised to full scale touches it in a handful of samples; from 1 % on the distortion is plainly heard.
CLIPPED_ABOVE = 0.01
# Natural speech spends under 0.1 % of its time within 1 dB of full scale, whatever the codec; speech cut off by 12 dB
# spends 4 to 6 %.
CROWDED_ABOVE = 0.03
# Half a second and a tenth cover encoder padding and lengths rounded by honest programs.
_SLACK_SECONDS = 0.5
_SLACK_SHARE = 0.1
_DAMAGED_ABOVE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large and long a recording may be, and what judging it may use; sizes in bytes, times in seconds."""

    max_bytes: int = 20_000_000
    max_seconds: float = 60.0
    min_seconds: float = 1.0
    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    memory_bytes: int = 1 << 30


RECORDING_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What was measured in a decoded recording.

    `seconds` is what was decoded, which stops soon after the limit; `declared_seconds` what the header promises, 0 if
    nothing; `kept_seconds` what remains without silence at both ends; `level` the RMS of active speech in 16-bit steps
    as heard at 8 kHz, and `active_seconds` how long, pauses left out, it can be heard. The shares are 0 to 1: of
    samples on flat tops, of samples within 1 dB of full scale, of packets that were damaged.
    """

    seconds: float
    declared_seconds: float
    kept_seconds: float
    level: float
    active_seconds: float
    clipped_share: float
    crowded_share: float
    damaged_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """A reason to refuse a recording, and what to do about it; clauses, to be joined into one sentence."""

    why: str
    cure: str


class Unreadable(Enum):
    """Why there was nothing to measure."""

    NOT_AUDIO = "not_audio"
    NO_SOUND = "no_sound"
    CODEC = "codec"
    SHAPE = "shape"
    DAMAGED = "damaged"
    COSTLY = "costly"


OBJECTION_TO = {
    Unreadable.NOT_AUDIO: Objection(
        why="it is not an audio file that can be read here", cure="save it as WAV, MP3, M4A, OGG, WebM or FLAC"
    ),
    Unreadable.NO_SOUND: Objection(
        why="it holds pictures or data but no sound", cure="export the sound track and upload that"
    ),
    Unreadable.CODEC: Objection(
        why="its sound is packed in a way that cannot be read here", cure="save it as 16-bit WAV or as MP3"
    ),
    Unreadable.SHAPE: Objection(
        why="it has more than 8 channels, or a sampling rate outside 4 to 192 kHz", cure="save it as mono at 48 kHz"
    ),
    Unreadable.DAMAGED: Objection(
        why="it is damaged and cannot be played", cure="export it again and upload the whole file"
    ),
    Unreadable.COSTLY: Objection(
        why="it takes more time or memory to unpack than a recording should", cure="save it as 16-bit mono WAV"
    ),
}


def objections(measured: Measurements, limits: Limits) -> tuple[Objection, ...]:
    """List every reason to refuse, the most telling first; an empty list means the recording is fit to play."""
    if measured.seconds <= 0 or measured.damaged_share > _DAMAGED_ABOVE:
        return (OBJECTION_TO[Unreadable.DAMAGED],)
    if measured.seconds > limits.max_seconds:
        # Decoding stopped here, so that nothing more is known about it.
        return (Objection(why=f"it lasts more than {limits.max_seconds:.0f} s", cure="shorten the recording"),)
    return (*_honesty(measured), *_loudness(measured, limits))


def _honesty(measured: Measurements) -> tuple[Objection, ...]:
    slack = _SLACK_SECONDS + _SLACK_SHARE * measured.seconds
    if measured.declared_seconds <= 0 or abs(measured.declared_seconds - measured.seconds) <= slack:
        return ()
    return (
        Objection(
            why=f"its header says {measured.declared_seconds:.1f} s but {measured.seconds:.1f} s could be played, so "
            "that it was probably cut off or changed",
            cure="export it again and upload the whole file",
        ),
    )


def _loudness(measured: Measurements, limits: Limits) -> tuple[Objection, ...]:
    if measured.level < SILENT_BELOW or measured.active_seconds < ACTIVE_AT_LEAST:
        return (
            Objection(
                why="it is silent, or too quiet for a telephone", cure="check the microphone and record it again"
            ),
        )
    too_short = Objection(
        why=f"it is too short: {measured.kept_seconds:.1f} s of sound without the silence around it",
        cure=f"record at least {limits.min_seconds:.1f} s",
    )
    clipped = Objection(
        why="it is distorted: its loudest parts are cut off",
        cure="record it again with the microphone turned down",
    )
    return (
        *((too_short,) if measured.kept_seconds < limits.min_seconds else ()),
        *((clipped,) if measured.clipped_share > CLIPPED_ABOVE or measured.crowded_share > CROWDED_ABOVE else ()),
    )
