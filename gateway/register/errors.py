"""What the register refuses."""

from gateway.domain.errors import GatewayError


class UnknownEntryError(GatewayError):
    """There is no {what} {shown!r}. {cure}."""

    code = "unknown_entry"


class DuplicateOrderError(GatewayError):
    """Court {court!r} already has an order for case {case_number!r}. Lift or look at that one first."""

    code = "duplicate_order"


class PurgedOrderError(GatewayError):
    """The personal data of order {order} was purged on {at:%Y-%m-%d}; only its dates and its plays are left."""

    code = "purged"


class InvalidLineError(GatewayError):
    """Line {shown} cannot be under an order: {why}."""

    code = "invalid_line"


class UnknownZoneError(GatewayError):
    """Time zone {shown!r} is not in the IANA database; write for example Europe/London."""

    code = "unknown_zone"


class UnreadableOrderError(GatewayError):
    """Order {order} is stored in a form that this release does not read. Restore the register from its backup."""

    code = "unreadable_order"


class KeyMismatchError(GatewayError):
    """The database was written with the key {found}, and this is key {given}. Put the right key file in place."""

    code = "key_mismatch"
