"""Identifiers of what the register holds."""

import secrets


def new_id(kind: str) -> str:
    """Return a new identifier such as `ord_9f86d081884c`; it says nothing about what it names."""
    return f"{kind}_{secrets.token_hex(6)}"
