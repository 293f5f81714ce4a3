"""What courts are told: webhooks, put in the outbox with the change itself and delivered afterwards.

Imports `privacy`, `db` and `domain`; knows no workflow. A message is delivered at least once to each endpoint that
wants it, and in no promised order: receivers go by `webhook-id` against repeats and by `timestamp` for the order.
It must never put a number, a name or a text of a case into a message: ids, states and times only.
"""
