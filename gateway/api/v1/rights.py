"""The one table of what a route of the API takes. A route that is not in it is refused to everybody.

This is the first fence: the right must have been granted somewhere at all. Whether it was granted for the court or the
district concerned is judged by the workflow, in the transaction of the change.
"""

from collections.abc import Mapping
from enum import Enum
from typing import assert_never

from gateway.domain.errors import GatewayError
from gateway.domain.rights import Actor, NotAllowedError, Right


class UnlistedRouteError(GatewayError):
    """This address is closed: nobody has stated who may use it."""

    code = "unlisted_route"


class Door(Enum):
    """What is open without any right."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"


Need = Right | Door

NEEDS: Mapping[str, Need] = {
    "show_specification": Door.PUBLIC,
    "show_documentation": Door.PUBLIC,
    "show_style_sheet": Door.PUBLIC,
    "list_courts": Right.COURTS_READ,
    "add_court": Right.COURTS_MANAGE,
    "show_court": Right.COURTS_READ,
    "change_court": Right.COURTS_MANAGE,
    "list_districts": Right.COURTS_READ,
    "add_district": Right.COURTS_MANAGE,
    "show_district": Right.COURTS_READ,
    "switch_district": Right.DISTRICTS_SWITCH,
    # Open to anybody: what is presented there is what lets people in.
    "sign_in": Door.PUBLIC,
    "begin_passkey": Door.PUBLIC,
    "sign_in_with_passkey": Door.PUBLIC,
    "begin_oidc": Door.PUBLIC,
    "sign_in_with_oidc": Door.PUBLIC,
    "begin_enrolment": Door.PUBLIC,
    "enrol_with_password": Door.PUBLIC,
    "enrol_with_passkey": Door.PUBLIC,
    # Everybody may do these to themselves; the workflow asks for the right to do them to others.
    "sign_out": Door.SIGNED_IN,
    "sign_out_everywhere": Door.SIGNED_IN,
    "show_self": Door.SIGNED_IN,
    "show_person": Door.SIGNED_IN,
    "list_people": Right.PEOPLE_MANAGE,
    "add_person": Right.PEOPLE_MANAGE,
    "change_person": Right.PEOPLE_MANAGE,
    "give_role": Right.PEOPLE_MANAGE,
    "take_role": Right.PEOPLE_MANAGE,
    "reset_credentials": Right.PEOPLE_MANAGE,
    "close_person": Right.PEOPLE_MANAGE,
    "list_api_keys": Right.API_KEYS_MANAGE,
    "issue_api_key": Right.API_KEYS_MANAGE,
    "show_api_key": Right.API_KEYS_MANAGE,
    "revoke_api_key": Right.API_KEYS_MANAGE,
    # Who imported a file may look after it; the workflow asks for one of several rights.
    "list_batches": Right.ORDERS_READ,
    "show_batch": Door.SIGNED_IN,
    "download_batch_errors": Right.ORDERS_DRAFT,
    "import_orders": Right.ORDERS_DRAFT,
    "approve_batch": Right.ORDERS_APPROVE,
    "withdraw_batch": Door.SIGNED_IN,
    "export_orders": Right.ORDERS_EXPORT,
    "disclose_line": Right.ORDERS_EXPORT,
    "show_job": Door.SIGNED_IN,
    "list_audit": Right.AUDIT_READ,
    "list_plays": Right.PLAYS_READ,
    "show_statistics": Right.STATISTICS_READ,
    "list_orders": Right.ORDERS_READ,
    "search_orders": Right.ORDERS_READ,
    "draft_order": Right.ORDERS_DRAFT,
    "show_order": Right.ORDERS_READ,
    "list_lines": Right.ORDERS_READ,
    "list_remarks": Right.ORDERS_READ,
    "edit_draft": Right.ORDERS_DRAFT,
    "submit_order": Right.ORDERS_DRAFT,
    "return_order": Right.ORDERS_APPROVE,
    "approve_order": Right.ORDERS_APPROVE,
    "suspend_order": Right.ORDERS_END,
    "resume_order": Right.ORDERS_APPROVE,
    "lift_order": Right.ORDERS_END,
    "extend_order": Right.ORDERS_APPROVE,
    "report_satisfaction": Right.SATISFACTION_REPORT,
    # An approver uploads too, for an extension; the workflow asks for one of the two rights.
    "upload_document": Door.SIGNED_IN,
    "download_document": Right.ORDERS_READ,
    "list_notices": Right.ORDERS_READ,
    "listen_to_notice": Right.ORDERS_READ,
    "propose_text": Right.ORDERS_DRAFT,
    "propose_recording": Right.ORDERS_DRAFT,
    "listen_to_proposal": Right.ORDERS_READ,
    "approve_notice": Right.ORDERS_APPROVE,
    "list_disputes": Right.DISPUTES_READ,
    "show_dispute": Right.DISPUTES_READ,
    "resolve_dispute": Right.DISPUTES_RESOLVE,
    "list_webhooks": Right.WEBHOOKS_MANAGE,
    "add_webhook": Right.WEBHOOKS_MANAGE,
    "show_webhook": Right.WEBHOOKS_MANAGE,
    "change_webhook": Right.WEBHOOKS_MANAGE,
    "remove_webhook": Right.WEBHOOKS_MANAGE,
    "rotate_webhook_secret": Right.WEBHOOKS_MANAGE,
    "list_deliveries": Right.WEBHOOKS_MANAGE,
    "redeliver_dead": Right.WEBHOOKS_MANAGE,
    "redeliver": Right.WEBHOOKS_MANAGE,
}


def need_of(endpoint: str) -> Need:
    """Return what a route takes. Raises UnlistedRouteError."""
    try:
        return NEEDS[endpoint]
    except KeyError as error:
        raise UnlistedRouteError from error


def demand(actor: Actor, need: Need) -> None:
    """Raise NotAllowedError where an actor was granted the right nowhere."""
    match need:
        case Door():
            return
        case Right():
            if actor.reach(need).is_empty:
                raise NotAllowedError(right=need.value, where="any court")
        case _:
            assert_never(need)
