"""The command `notice-gateway`, one file for each group of commands.

Imports `assembly`, `workflows` and what lies below; what only the top may put together comes in as `ctx.obj`.
It must never import `providers` or `api`, and never show a stack trace for what a user did.
"""
