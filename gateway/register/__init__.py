"""The register of courts, districts, orders, lines and notices, and the ways to find and change them.

Imports `privacy`, `db` and `domain`; every function works on a connection that its workflow opened.
It must never commit, read a clock, or hand out a row: values of the domain go out.
"""
