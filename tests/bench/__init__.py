"""Tests of what the bench makes of its measurements; the measuring itself is `make bench-short`."""
