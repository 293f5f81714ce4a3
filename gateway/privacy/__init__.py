"""Keys, and what they protect: blind indexes, encrypted fields, sealed callback tokens.

Imports `cryptography`, `gateway.domain`, the bucket and what lies below `privacy`; knows no table and no provider.
It must never write a key, a number or a name anywhere but to the key file and its own return values.
"""
