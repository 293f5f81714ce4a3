"""Resolve a dispute: the line's notices go on, the order ends, or the line leaves the order."""

from typing import assert_never

from gateway.audit.tags import Tag
from gateway.domain.errors import GatewayError
from gateway.domain.events import Event
from gateway.domain.order import Order, lift
from gateway.domain.rights import Right
from gateway.register import disputes, lines, orders
from gateway.register.disputes import Dispute, Resolution, Verdict
from gateway.register.errors import UnknownEntryError
from gateway.register.installation import announce_removed
from gateway.workflows.access import demand_order, order_for
from gateway.workflows.change import Change, Errand, change
from gateway.workflows.office import Office
from gateway.workflows.second_officer import demand_officer


class AlreadyResolvedError(GatewayError):
    """Dispute {dispute} was resolved already ({how}); what was decided stands."""

    code = "already_resolved"


def resolve_dispute(
    office: Office, dispute_id: str, resolution: Resolution, errand: Errand, *, note: str = ""
) -> Dispute:
    """Resolve an open dispute and return it. The line is heard again only after the last open dispute about it.

    Raises UnknownEntryError, NotAllowedError, AlreadyResolvedError, NotAPersonError.
    """
    demand_officer(errand)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        dispute = disputes.get(connection, dispute_id, office.keys)
        demand_dispute(under_way, dispute)
        # The order is locked first: two officers who resolve at once take turns.
        order = order_for(connection, office.keys, errand.actor, dispute.order_id, Right.DISPUTES_RESOLVE)
        verdict = Verdict(resolution=resolution, note=note.strip(), officer=errand.actor.actor_id, at=errand.at)
        if not disputes.resolve(connection, dispute_id, verdict, office.keys):
            found = disputes.get(connection, dispute_id, office.keys)
            how = found.resolution.value if found.resolution else "by another officer"
            raise AlreadyResolvedError(dispute=dispute_id, how=how)
        match resolution:
            case Resolution.RESUME:
                _resume(under_way, dispute)
            case Resolution.REMOVE_LINE:
                _remove(under_way, dispute)
            case Resolution.LIFT:
                _lift(under_way, order, dispute)
            case _:
                assert_never(resolution)
        under_way.note(
            Tag.DISPUTE_RESOLVED,
            dispute_id,
            court_id=dispute.court_id,
            order=dispute.order_id,
            resolution=resolution.value,
        )
        under_way.tell(
            Event.DISPUTE_RESOLVED,
            court_id=dispute.court_id,
            dispute=dispute_id,
            order=dispute.order_id,
            resolution=resolution.value,
        )
        return disputes.get(connection, dispute_id, office.keys)


def demand_dispute(under_way: Change, dispute: Dispute) -> None:
    """Answer who may not read a dispute's order as if there were no dispute. Raises NotAllowedError."""
    try:
        demand_order(under_way.connection, under_way.errand.actor, dispute.order_id, Right.DISPUTES_READ)
    except UnknownEntryError as error:
        raise disputes.unknown(dispute.dispute_id) from error


def _resume(under_way: Change, dispute: Dispute) -> None:
    """Let the line's notices go on, unless another dispute about the same line is still open.

    The line is locked first: a key that is pressed just now has opened its dispute by then, or finds the line heard.
    Raises UnknownEntryError where the line has left its order.
    """
    if not lines.lock(under_way.connection, dispute.line_id):
        raise lines.unknown(dispute.line_id)
    if disputes.is_open_on(under_way.connection, dispute.line_id):
        return
    lines.resume(under_way.connection, dispute.line_id)
    under_way.note(Tag.LINE_RESUMED, dispute.line_id, court_id=dispute.court_id, order=dispute.order_id)


def _remove(under_way: Change, dispute: Dispute) -> None:
    """Take the line out of the order; another dispute about the same line may have done so before."""
    if not lines.lock(under_way.connection, dispute.line_id):
        return
    lines.remove(under_way.connection, dispute.line_id)
    announce_removed(under_way.connection)
    under_way.note(Tag.LINE_REMOVED, dispute.line_id, court_id=dispute.court_id, order=dispute.order_id)


def _lift(under_way: Change, order: Order, dispute: Dispute) -> None:
    """End the order; one that is over already stays as it ended."""
    lifted = lift(order, under_way.errand.at)
    if lifted == order:
        return
    saved = orders.save(under_way.connection, lifted)
    under_way.note(
        Tag.ORDER_LIFTED,
        order.order_id,
        court_id=order.court_id,
        was=order.state_at(under_way.errand.at).value,
        dispute=dispute.dispute_id,
        version=saved.version,
    )
    under_way.tell(Event.ORDER_LIFTED, court_id=order.court_id, order=order.order_id)
