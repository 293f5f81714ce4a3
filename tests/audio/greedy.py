"""A program that wants more than it is allowed, for the tests of confinement."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from gateway.audio.confinement import confine


def main(argument: str) -> None:
    wanted = confine(argument)["wanted"]
    if wanted == "memory":
        bytearray(2 << 30)
    elif wanted == "files":
        for _ in range(1_000):
            os.open(os.devnull, os.O_RDONLY)
    elif wanted == "disk":
        Path("large").write_bytes(bytes(10 << 20))
    elif wanted == "processor":
        while True:
            pass
    elif wanted == "time":
        # A grandchild that inherits nothing but the process group.
        child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)
        Path("grandchild").write_text(str(child.pid), encoding="utf-8")
        time.sleep(60)
    sys.stdout.write(json.dumps({"wanted": wanted}))


if __name__ == "__main__":
    main(sys.argv[1])
