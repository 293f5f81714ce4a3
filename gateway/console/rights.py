"""The one table of what a page of the console takes. A page that is not in it is refused to everybody."""

from collections.abc import Mapping

from gateway.domain.rights import Right
from gateway.workflows.doors import Door, Need

NEEDS: Mapping[str, Need] = {
    "static": Door.PUBLIC,
    # Open to anybody: what is presented there is what lets people in.
    "sign_in": Door.PUBLIC,
    "choose_language": Door.PUBLIC,
    "sign_out": Door.SIGNED_IN,
    "home": Door.SIGNED_IN,
    "list_orders": Right.ORDERS_READ,
    "show_order": Right.ORDERS_READ,
    "lift_order": Right.ORDERS_END,
}
