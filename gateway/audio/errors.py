"""What the audio room refuses; each message says what was wrong and what to do about it."""

from gateway.domain.errors import GatewayError


class RecordingRefusedError(GatewayError):
    """{name}: {why}; {cure}."""

    code = "recording_refused"


class NotWavError(GatewayError):
    """{file} is not a WAV file; the library stores finished renditions only. Render the recording first."""

    code = "not_wav"


class VoiceMissingError(GatewayError):
    """There is no voice for {language!r}; there are voices for {available}. Use one of these or upload a recording."""

    code = "voice_missing"


class SpeechFailedError(GatewayError):
    """The text could not be spoken in {language!r}: {why}; {cure}."""

    code = "speech_failed"


class TextEmptyError(GatewayError):
    """The text holds nothing that can be spoken; write at least one word or number."""

    code = "text_empty"


class TextTooLongError(GatewayError):
    """The text has {length} characters; at most {limit} can be spoken. Shorten it."""

    code = "text_too_long"


class WordingMissingError(GatewayError):
    """There is no {purpose} wording for {language!r}; write the file {file} in the prompts folder."""

    code = "wording_missing"


class WordingFieldsError(GatewayError):
    """The {purpose} wording cannot be filled in: {why}."""

    code = "wording_fields"
