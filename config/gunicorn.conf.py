"""How gunicorn serves the gateway: two workers of four threads, measured best for two cores (bench/RESULTS.md)."""

import gc
import importlib
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

wsgi_app = "gateway.wsgi:application"
bind = "127.0.0.1:8080"
worker_class = "gateway.lingering.LingeringWorker"
workers = 2
threads = 4
# Without it one worker sometimes takes all the kept-alive connections.
reuse_port = True
keepalive = 30
# A provider gives up after 15 s; a worker that hangs for longer is replaced.
timeout = 30
graceful_timeout = 20
# The screen's thread must start after the fork; the code is loaded before it, by on_starting.
preload_app = False
# Control files go where writing them cannot block on a disk.
_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (Linux' memory file system, by name)
worker_tmp_dir = _memory
# gunicorn's control socket would lie in the home folder, where a second gateway would find it taken.
control_socket_disable = True
accesslog = None
errorlog = "-"

# Several workers add up their metrics through files in a folder that prometheus_client finds in the environment. It is
# made before any worker imports the library, and removed at the end. It is in memory, for the files are mapped, and a
# full disk would kill a worker that writes to one; who sets TMPDIR has chosen another place.
_metrics = tempfile.mkdtemp(prefix="notice-gateway-metrics-", dir=os.environ.get("TMPDIR", _memory))  # noqa: TID251
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics  # noqa: TID251
_master = os.getpid()


def on_starting(_server: Any) -> None:  # noqa: ANN401  (gunicorn's types are not exported)
    """Load the code once for all workers, which share its memory; each puts its own app together from it.

    A worker that takes the place of one that died starts in a moment, too. What is frozen is not looked through for
    garbage, which would also write into the pages that are shared (https://docs.python.org/3.11/library/gc.html).
    """
    gc.disable()
    importlib.import_module("gateway.app")
    gc.freeze()
    gc.enable()


def post_worker_init(_worker: Any) -> None:  # noqa: ANN401  (gunicorn's types are not exported)
    """Keep the garbage collector from walking again and again through what was loaded for good.

    It would stop all threads of a worker for a tenth of a second each time, calls among them.
    """
    gc.collect()
    gc.freeze()


def when_ready(server: Any) -> None:  # noqa: ANN401  (gunicorn's types are not exported)
    """Start the worker that delivers webhooks and carries out jobs, where `notice-gateway serve` asks for it.

    It is forked twice, so that it is no child of the master, which counts its children; it watches the master's end.
    """
    if server.cfg.env.get("NOTICE_GATEWAY_WORK") != "beside":
        return
    program = "from gateway.command import main; main()"
    arguments = [sys.executable, "-c", program, "work", "--beside", str(os.getpid())]
    between = os.fork()
    if between:
        # gunicorn's own handler for the ends of children may have been faster.
        with suppress(ChildProcessError):
            os.waitpid(between, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, arguments)  # noqa: S606  (no shell is wanted)
    finally:
        # Neither of the two may ever go on as a second master.
        os._exit(0)


def on_exit(_server: Any) -> None:  # noqa: ANN401  (gunicorn's types are not exported)
    """Remove the metrics folder."""
    if os.getpid() == _master:
        shutil.rmtree(_metrics, ignore_errors=True)
