"""The log: one JSON object a line on the standard error stream, and never a reason for a call to fail."""

import json
import sys
import traceback
from types import TracebackType
from typing import TextIO

import structlog

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_ENCODER = json.JSONEncoder(default=repr)
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class ForgivingLogger:
    """Writes lines, and drops one that cannot be written: a full disk or a closed stream must not cost a call."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream

    def write(self, line: str) -> None:
        """Write a line, or lose it."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = exception = critical = msg = write


def configure(level: str) -> None:
    """Log what is at least as grave as `level`: debug, info, warning or error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_where),
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_names: ForgivingLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _where(exc_info: ExcInfo) -> str:
    """Tell an exception's type and place, and not its message, which may quote what nobody may read."""
    kind, _error, trace = exc_info
    frames = (f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace))
    return " > ".join((*frames, kind.__name__))


def _to_json(event: object, **_options: object) -> str:
    """Write a log line; one kept encoder, where json.dumps with options would build one for each line."""
    return _ENCODER.encode(event)
