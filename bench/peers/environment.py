"""What a peer is told by the bench that starts it, in its environment."""

import os

DATABASE = os.environ.get("BENCH_DATABASE", "")  # noqa: TID251  (a peer is a program of its own)
TOKEN = os.environ.get("TWILIO_AUTH_TOKEN", "")  # noqa: TID251  (as above, by the name that Twilio's pages use)
ORIGIN = os.environ.get("BENCH_ORIGIN", "")  # noqa: TID251  (as above)
