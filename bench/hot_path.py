"""Where the time of a call goes: webhooks through the app in this process, timed, then under cProfile.

A program by itself, started by `run.py --profile`: prometheus_client decides at import, by the environment, whether
several workers share their metrics, and they do so in production.
"""

import cProfile
import os
import pstats
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.calls import PATH, Call, Scenario, calls
from bench.data import settings_for
from gateway.app import Running, create_app

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

REQUESTS = 5_000
_LINES_SHOWN = 25
_SCENARIOS = (Scenario.WITHOUT_ORDER, Scenario.WITH_ORDER)


def main(folder: Path, orders: int) -> None:
    """Time and profile both scenarios over a data folder."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        app = create_app(settings_for(folder))
        for seed, scenario in enumerate(_SCENARIOS):
            _measure(app.wsgi_app, scenario, orders, seed)
        running: Running = app.extensions["notice_gateway"]
        running.stop()


def _measure(app: Callable[..., Iterable[bytes]], scenario: Scenario, orders: int, seed: int) -> None:
    once = [_environ(call) for call in calls(scenario, REQUESTS, seed=seed, orders=orders)]
    again = [_environ(call) for call in calls(scenario, REQUESTS, seed=seed + 100, orders=orders)]
    started = perf_counter()
    _run(app, once)
    took = (perf_counter() - started) / REQUESTS * 1e6
    print(f"\n=== {scenario.value}: {took:.0f} us a call without the profiler, {REQUESTS} calls")
    profiler = cProfile.Profile()
    profiler.runcall(_run, app, again)
    statistics = pstats.Stats(profiler, stream=sys.stdout)
    for order in ("cumulative", "tottime"):
        statistics.sort_stats(order).print_stats(_LINES_SHOWN)


def _run(app: Callable[..., Iterable[bytes]], environs: Iterable["WSGIEnvironment"]) -> None:
    for environ in environs:
        b"".join(app(environ, _start_response))


def _start_response(status: str, _headers: Any, _exc_info: Any = None) -> Callable[[bytes], object]:  # noqa: ANN401
    if not status.startswith("200"):
        raise RuntimeError(f"a call was answered with {status}")
    return BytesIO().write


def _environ(call: Call) -> "WSGIEnvironment":
    """Return what gunicorn hands over."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers().items()}
    return {
        **headers,
        "CONTENT_TYPE": call.headers()["Content-Type"],
        "CONTENT_LENGTH": str(len(call.body)),
        "HTTP_HOST": "gateway.example.org",
        "PATH_INFO": PATH,
        "QUERY_STRING": "",
        "RAW_URI": PATH,
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.errors": sys.stderr,
        "wsgi.input": BytesIO(call.body),
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": True,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
