"""Proof: the trail of what was done, evidence of every notice that was played, and checkpoints of both.

Imports `privacy`, `db` and `domain`; works on a connection that its workflow opened.
It must never keep a number: calls and callers are named by keyed hashes, the provider's call id is encrypted.
"""
