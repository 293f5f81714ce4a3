"""A sound as an answer: whole or in the ranges that players ask for, and kept by nobody."""

import io

from flask import Response, send_file


def sound_answer(wav: bytes) -> Response:
    """Return a WAV file (RFC 9110, 14: ranges); it may tell of a person's case, so that no cache may keep it."""
    response = send_file(io.BytesIO(wav), mimetype="audio/wav", conditional=True, etag=False, max_age=None)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Accept-Ranges"] = "bytes"
    return response
