"""The rules: who hears what, when, and the life of an order.

Imports the standard library and nothing else, so that the rules can be read, tested and trusted on their own.
It never does I/O, never reads a clock and never logs.
"""
