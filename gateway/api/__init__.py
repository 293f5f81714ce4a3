"""The HTTP resources that are no provider's webhooks, one file each: health, metrics, prompts.

Imports `workflows` and what lies below; blind to `providers`, `console` and `cli`.
It must never answer with a stack trace, a number or a name.
"""
