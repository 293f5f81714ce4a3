"""The entrances for telephony providers: one folder a dialect, one table of dialects, one entrance for all.

Imports `workflows` and what lies below; each dialect is blind to the others.
It must never decide who hears what, and never touch the database.
"""
