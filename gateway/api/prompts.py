"""`GET /prompts/<sha256>.<ext>`: renditions by content. What is there never changes, so it may be cached for ever."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from flask import Blueprint, Response, send_file

from gateway.audio.library import Library
from gateway.bucket import StorageError

_FOR_EVER = timedelta(days=365)
_AGAIN = "5"


def make_blueprint(library: Library, missing: Callable[[str], None]) -> Blueprint:
    """Return the route; `missing` is told in a word why a recording was not sent.

    Types: Twilio accepts audio/wav for mu-law, A-law and PCM alike.
    """
    blueprint = Blueprint("prompts", __name__)

    @blueprint.get("/prompts/<sha256>.<extension>")
    def prompt(sha256: str, extension: str) -> Response:
        """Send a rendition whole or in ranges, or answer 304 to who has it."""
        try:
            path = library.path_of(sha256, extension)
        except (StorageError, OSError) as error:
            # The provider goes on with the call: a sound that it cannot fetch is passed over.
            missing("storage away")
            structlog.get_logger().error("rendition_unavailable", sha256=sha256, message=str(error))
            away = Response("503: the storage of renditions is away\n", status=503, content_type="text/plain")
            away.headers["Retry-After"] = _AGAIN
            return away
        if path is None:
            missing("unknown")
            return Response("404: there is no such rendition\n", status=404, content_type="text/plain")
        response = send_file(
            path, mimetype="audio/wav", conditional=True, etag=sha256, max_age=int(_FOR_EVER.total_seconds())
        )
        response.cache_control.public = True
        response.cache_control.immutable = True
        response.cache_control.no_cache = None
        return response

    return blueprint
