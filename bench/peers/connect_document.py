"""The constant answer of the peers: what the gateway answers to a line without an order, as long and of one type."""

CONTENT_TYPE = "text/xml; charset=utf-8"
DOCUMENT = (
    b'<?xml version="1.0" encoding="UTF-8"?><Response><Dial answerOnBridge="true" timeout="60"'
    b' action="https://gateway.example.org/twilio/dialled"><Number>+61270100000</Number></Dial></Response>'
)
