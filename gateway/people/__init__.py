"""People, their roles and credentials, their sessions, and the API keys of programs.

Imports `privacy`, `db` and `domain`; works on a connection that its workflow opened.
It must never keep a secret that could be used again: passwords are hashed, tokens and keys are kept as
keyed hashes.
"""
