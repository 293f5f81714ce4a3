"""What the gateway does, one verb per file; each owns the transaction of what it does.

Imports `register`, `audit`, `audio` and what lies below; knows no provider, no HTTP and no terminal.
It must never decide who hears what: that is `gateway.domain.decide`.
"""
