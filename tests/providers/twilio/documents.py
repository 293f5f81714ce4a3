"""Reading TwiML documents, held to Twilio's schema and to the attributes that its pages list."""

from lxml import etree

from tests.twiml import assert_valid_twiml

# "supports the following attributes": twilio.com/docs/voice/twiml/gather, and /play, /dial, /number, /sip, /reject.
ALLOWED = {
    "Response": set[str](),
    "Gather": {
        "action",
        "finishOnKey",
        "hints",
        "input",
        "language",
        "method",
        "numDigits",
        "partialResultCallback",
        "partialResultCallbackMethod",
        "profanityFilter",
        "speechTimeout",
        "timeout",
        "speechModel",
        "enhanced",
        "actionOnEmptyResult",
    },
    "Play": {"digits", "loop"},
    "Dial": {
        "action",
        "answerOnBridge",
        "callerId",
        "callReason",
        "hangupOnStar",
        "method",
        "record",
        "recordingStatusCallback",
        "recordingStatusCallbackMethod",
        "recordingStatusCallbackEvent",
        "recordingTrack",
        "referMethod",
        "referUrl",
        "ringTone",
        "sequential",
        "timeLimit",
        "timeout",
        "trim",
        "events",
    },
    "Number": {
        "sendDigits",
        "url",
        "method",
        "byoc",
        "statusCallbackEvent",
        "statusCallback",
        "statusCallbackMethod",
    },
    "Sip": {"password", "url", "method", "statusCallbackEvent", "statusCallback", "statusCallbackMethod", "username"},
    "Reject": {"reason"},
    "Hangup": set[str](),
}


def checked(body: bytes) -> etree._Element:
    assert_valid_twiml(body)
    document = etree.fromstring(body)
    for element in document.iter():
        assert set(map(str, element.attrib)) <= ALLOWED[str(element.tag)]
    return document


def verbs(document: etree._Element) -> list[str]:
    return [str(each.tag) for each in document]


def attributes(element: etree._Element | None) -> dict[str, str]:
    assert element is not None
    return {str(name): str(value) for name, value in element.attrib.items()}


def token_in(url: str) -> str:
    return url.partition("?t=")[2]
