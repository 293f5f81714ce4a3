"""What a court can be told of by a webhook; the words are stable, for programs of others wait for them."""

from enum import Enum


class Event(Enum):
    """Something that happened to an order, a dispute or a batch."""

    ORDER_APPROVED = "order.approved"
    ORDER_SUSPENDED = "order.suspended"
    ORDER_RESUMED = "order.resumed"
    ORDER_EXTENDED = "order.extended"
    ORDER_LIFTED = "order.lifted"
    DISPUTE_OPENED = "dispute.opened"
    DISPUTE_RESOLVED = "dispute.resolved"
    BATCH_FINISHED = "batch.finished"
