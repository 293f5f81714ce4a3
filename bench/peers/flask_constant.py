"""The reference: a Flask view that parses the form and answers a constant; no signature, no look-up, no log."""

from connect_document import CONTENT_TYPE, DOCUMENT
from flask import Flask, Response, request

application = Flask("flask_constant", static_folder=None)


@application.post("/twilio/call")
def call() -> Response:
    """Parse the form, as any view that looks at the call has to, and connect."""
    _ = request.form
    return Response(DOCUMENT, content_type=CONTENT_TYPE)
