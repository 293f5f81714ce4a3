"""Proof: evidence of every notice that was played.

Imports `privacy`, `db` and `domain`; works on a connection that its workflow opened.
It must never keep a number: calls are named by a keyed hash of the provider's call id.
"""
