"""The reference: a Flask view that parses the form and answers a constant; no signature, no look-up, no log."""

from flask import Flask, Response, request

from bench.peers.connect_document import CONTENT_TYPE, DOCUMENT

application = Flask("flask_constant", static_folder=None)


@application.post("/twilio/call")
def call() -> Response:
    """Parse the form, as any view that looks at the call has to, and connect."""
    _ = request.form
    return Response(DOCUMENT, content_type=CONTENT_TYPE)
