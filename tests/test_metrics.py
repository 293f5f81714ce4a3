import os
import subprocess
import sys
from pathlib import Path

# Workers count into files of a shared folder; here it is gone when the first answer is to be counted, so that the file
# for its duration cannot be made. prometheus_client looks for the folder when it is imported: hence a process apart.
_COUNT_WITHOUT_A_FOLDER = """
import shutil, sys
from prometheus_client import CollectorRegistry
from gateway.metrics import Metrics

metrics = Metrics(CollectorRegistry())
shutil.rmtree(sys.argv[1])
try:
    metrics._seconds.labels("twilio", "call").observe(0.001)
except OSError:
    metrics.answered("twilio", "call", "connect", "no_order", 0.001)
    print("went on")
"""


def test_what_cannot_be_counted_costs_no_call(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    env = {"PATH": os.defpath, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, "-c", _COUNT_WITHOUT_A_FOLDER, str(folder)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "went on\n", done.stderr
