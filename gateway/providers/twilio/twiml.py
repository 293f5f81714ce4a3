"""Read a TwiML document the way Twilio does, into frozen verbs with resolved URLs and defaults filled in.

The defaults are those of the attribute table on each verb's page under https://www.twilio.com/docs/voice/twiml/.
"""

from collections.abc import Iterator
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from gateway.domain.errors import GatewayError
from gateway.providers.twilio.player_verbs import (
    Dial,
    Document,
    Gather,
    Hangup,
    Noun,
    Pause,
    Play,
    Prompt,
    Redirect,
    Reject,
    Say,
    Unknown,
    Verb,
)

# Error 11750: "the response body is larger than 64 kB" (twilio.com/docs/api/errors/11750).
LARGEST_DOCUMENT = 64 * 1024
# <Dial>: a timeout is at most 600 seconds. <Play>: "Specifying 0 will cause the <Play> verb to loop until either the
# call is hung up or 1000 iterations are performed."
_LONGEST_DIAL, _MOST_LOOPS = 600, 1000


class UnreadableTwimlError(GatewayError):
    """The document is not TwiML: {why}."""

    code = "unreadable_twiml"


_CALLBACKS = {"url", "method", "statusCallback", "statusCallbackEvent", "statusCallbackMethod"}
# What each element may carry, from the schema that Twilio publishes; twilio-python swallows misspelt names silently.
_ATTRIBUTES: dict[str, set[str]] = {
    "Response": set(),
    "Play": {"loop", "digits"},
    "Say": {"voice", "language", "loop"},
    "Pause": {"length"},
    "Gather": {
        *("input", "action", "method", "timeout", "numDigits", "finishOnKey", "actionOnEmptyResult", "language"),
        *("speechTimeout", "speechModel", "hints", "profanityFilter", "bargeIn", "dtmfDetection", "enhanced", "debug"),
        *("partialResultCallback", "partialResultCallbackMethod", "maxSpeechTime"),
    },
    "Dial": {
        *("action", "method", "timeout", "answerOnBridge", "callerId", "hangupOnStar", "timeLimit", "record", "trim"),
        *("recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "recordingTrack"),
        *("ringTone", "sequential", "referUrl", "referMethod"),
    },
    "Number": _CALLBACKS | {"sendDigits", "byoc", "phoneNumberSid"},
    "Sip": _CALLBACKS | {"username", "password"},
    "Client": _CALLBACKS,
    "Redirect": {"method"},
    "Hangup": set(),
    "Reject": {"reason"},
}
_WHOLE_NUMBERS = {"timeout", "numDigits", "length", "loop"}


def read_document(body: bytes, url: str) -> Document:
    """Read `body`, fetched from `url`, against which relative URLs resolve. Raises UnreadableTwimlError."""
    root = _parse(body)
    # Names are case-sensitive; anything but <Response> at the root is a document parse failure (error 12100).
    if root.tag != "Response":
        raise UnreadableTwimlError(why=f"its root is <{root.tag}>, not <Response>")
    verbs = tuple(_verb(each, url) for each in root)
    return Document(url=url, verbs=verbs, remarks=tuple(_remarks_on(root)))


def _parse(body: bytes) -> ET.Element:
    if len(body) > LARGEST_DOCUMENT:
        raise UnreadableTwimlError(why=f"it is {len(body)} bytes long, more than {LARGEST_DOCUMENT}")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise UnreadableTwimlError(why=f"it is not UTF-8 at byte {error.start}") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnreadableTwimlError(why="it declares a document type or an entity")
    parser = ET.XMLParser()  # noqa: S314  (Entities, which S314 warns of, were refused one line above.)
    try:
        parser.feed(text)
        return parser.close()
    except ET.ParseError as error:
        raise UnreadableTwimlError(why=f"it is not well-formed XML ({error})") from error


def _remarks_on(element: ET.Element) -> Iterator[str]:
    known = _ATTRIBUTES.get(element.tag)
    if known is None:
        yield f"<{element.tag}> is not a verb or noun that this player knows; it is passed over"
        return
    for name, value in element.attrib.items():
        if name not in known:
            yield f"<{element.tag}> has no attribute {name}; Twilio ignores it (warning 12200)"
        elif name in _WHOLE_NUMBERS and not value.isdigit():
            yield f"<{element.tag} {name}={value!r}> is not a whole number; the default holds"
    for child in element:
        yield from _remarks_on(child)


def _verb(element: ET.Element, url: str) -> Verb:
    match element.tag:
        case "Play" | "Say" | "Pause":
            return _prompt(element, url)
        case "Gather":
            return _gather(element, url)
        case "Dial":
            return _dial(element, url)
        case "Redirect":
            return Redirect(url=_resolve(url, _text(element)), method=_method(element, "method"))
        case "Hangup":
            return Hangup()
        case "Reject":
            # <Reject>: "reason ... default rejected".
            return Reject(reason=element.get("reason", "rejected"))
        case _:
            return Unknown(name=element.tag)


def _prompt(element: ET.Element, url: str) -> Prompt | Unknown:
    match element.tag:
        case "Play" if _text(element):
            # <Play>: "loop ... default 1".
            loop = _whole(element, "loop", 1)
            return Play(url=_resolve(url, _text(element)), loop=min(loop, _MOST_LOOPS) or _MOST_LOOPS)
        case "Say":
            return Say(text=_text(element))
        case "Pause":
            # <Pause>: "length ... default 1".
            return Pause(seconds=_whole(element, "length", 1))
        case _:
            return Unknown(name=element.tag)


def _gather(element: ET.Element, url: str) -> Gather:
    prompts = (_prompt(each, url) for each in element)
    return Gather(
        prompts=tuple(each for each in prompts if not isinstance(each, Unknown)),
        # <Gather>: "action ... default current document URL"; "timeout ... default 5"; "finishOnKey ... default #",
        # "the empty string" for none; "numDigits ... default unlimited"; "actionOnEmptyResult ... default false".
        action=_resolve(url, element.get("action", "")),
        method=_method(element, "method"),
        timeout=_whole(element, "timeout", 5),
        num_digits=_whole(element, "numDigits", 0),
        finish_on_key=element.get("finishOnKey", "#"),
        action_on_empty_result=_truth(element, "actionOnEmptyResult"),
        # <Gather>: "input ... default dtmf"; with speech alone, keys are not gathered.
        listens="dtmf" in element.get("input", "dtmf").split(),
    )


def _dial(element: ET.Element, url: str) -> Dial:
    nouns = tuple(_noun(each, url) for each in element)
    # <Dial>415-123-4567</Dial>: bare text is a number to dial.
    bare = _text(element)
    if not nouns and bare:
        nouns = (_noun(_number(bare), url),)
    return Dial(
        nouns=nouns,
        # <Dial>: "action ... default none"; "timeout ... default 30"; "answerOnBridge ... default false".
        action=_resolve(url, element.get("action", ""), absent=""),
        method=_method(element, "method"),
        timeout=min(_whole(element, "timeout", 30), _LONGEST_DIAL),
        answer_on_bridge=_truth(element, "answerOnBridge"),
        caller_id=element.get("callerId", ""),
    )


def _number(text: str) -> ET.Element:
    number = ET.Element("Number")
    number.text = text
    return number


def _noun(element: ET.Element, url: str) -> Noun:
    return Noun(
        kind=element.tag,
        text=_text(element),
        url=_resolve(url, element.get("url", ""), absent=""),
        method=_method(element, "method"),
        status_callback=_resolve(url, element.get("statusCallback", ""), absent=""),
        status_method=_method(element, "statusCallbackMethod"),
        # <Number>: "statusCallbackEvent ... default completed".
        status_events=frozenset(element.get("statusCallbackEvent", "completed").split()),
    )


def _text(element: ET.Element) -> str:
    return (element.text or "").strip()


def _resolve(base: str, reference: str, absent: str | None = None) -> str:
    """Resolve `reference` against the document's URL; an empty one is `absent`, or the document itself."""
    if not reference:
        return base if absent is None else absent
    try:
        return urljoin(base, reference)
    except ValueError as error:
        raise UnreadableTwimlError(why=f"{reference!r} is not a URL") from error


def _whole(element: ET.Element, name: str, default: int) -> int:
    text = element.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default


def _truth(element: ET.Element, name: str) -> bool:
    return element.get(name, "false").lower() == "true"


def _method(element: ET.Element, name: str) -> str:
    return "GET" if element.get(name, "POST").upper() == "GET" else "POST"
