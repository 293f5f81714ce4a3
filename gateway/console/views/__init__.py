"""The pages of the console, one file per room.

A view may call workflows and render templates. It must never touch a table, and never judge who may do what.
"""
