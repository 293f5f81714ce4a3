"""The database that a peer reads: named in the environment by the bench that starts it."""

import os

DATABASE = os.environ.get("BENCH_DATABASE", "")  # noqa: TID251  (a peer is a program of its own)
