"""Approve an order: a second officer's word, the notices made and attached, and the warning period begun."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.audit.tags import Tag
from gateway.domain.court import Court
from gateway.domain.events import Event
from gateway.domain.notice import Purpose
from gateway.domain.order import Order, approve
from gateway.domain.rights import Right
from gateway.domain.subject import NaturalPerson
from gateway.register import courts, lines, notices, orders, proposals
from gateway.register.installation import announce_added
from gateway.register.notices import Officers, Part
from gateway.register.proposals import Proposal
from gateway.workflows.access import order_for
from gateway.workflows.change import Errand, change, demand_unclaimed
from gateway.workflows.draft_order import demand_evidence
from gateway.workflows.office import Office
from gateway.workflows.propose_own_words import propose_own_words
from gateway.workflows.publish_notice import Made, Wanted, make_parts, make_replies, purposes_for
from gateway.workflows.second_officer import demand_officer, demand_second, demand_second_hearing

# Orders that were drafted before drafts said how long they ask for.
_USUAL = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    order: Order
    court: Court
    proposed: tuple[Proposal, ...]


def approve_order(office: Office, order_id: str, errand: Errand, *, expected: int | None = None) -> Order:
    """Approve a submitted order with its notices and return it; its warning period begins now.

    The notices are rendered before the register is changed, for that takes seconds; whatever is changed meanwhile, be
    it a proposal, makes the approval stale. Raises SameOfficerError, NotAPersonError, StaleVersionError,
    InvalidTransitionError, InvalidWindowError, and what is wrong with a notice.
    """
    demand_officer(errand)
    expected = propose_own_words(office, order_id, errand, expected=expected)
    read = _read(office, order_id, errand, expected)
    parts = _render(office, read, errand)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(
            connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=read.order.version
        )
        approved = _approved(order, read.court, errand)
        saved = orders.save(connection, approved)
        for purpose, each in parts.items():
            officers = Officers(added_by=order.drafted_by, approved_by=errand.actor.actor_id)
            notices.attach(connection, saved, purpose, each, officers, office.cipher)
        proposals.remove(connection, order_id)
        announce_added(connection, order_id)
        under_way.note(
            Tag.ORDER_APPROVED,
            order_id,
            court_id=order.court_id,
            document=order.authority.document_sha256,
            in_force_from=str(saved.in_force_from),
            valid_until=str(saved.valid_until),
            notices=" ".join(part.rendition.mulaw for each in parts.values() for part in each),
            proposed_by=" ".join(sorted({each.added_by for each in read.proposed})),
            version=saved.version,
        )
        under_way.tell(
            Event.ORDER_APPROVED, court_id=order.court_id, order=order_id, in_force_from=str(saved.in_force_from)
        )
    return saved


def _read(office: Office, order_id: str, errand: Errand, expected: int | None) -> _Read:
    with office.engine.begin() as connection:
        demand_unclaimed(connection, errand)
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=expected)
        demand_second(connection, office.keys, order, errand.actor.actor_id)
        content = purposes_for(order.subject)[0]
        every = proposals.of_order(connection, order_id, office.keys)
        proposed = tuple(each for each in every if each.purpose is content)
        entries = lines.of_orders(connection, [order_id], office.cipher).get(order_id, ())
        demand_evidence(order.subject, tuple(entry.line for entry in entries))
        for each in proposed:
            demand_second_hearing(connection, office.keys, each, errand.actor.actor_id)
        return _Read(order=order, court=courts.get(connection, order.court_id), proposed=proposed)


def _approved(order: Order, court: Court, errand: Errand) -> Order:
    valid_for = _USUAL if order.valid_for is None else order.valid_for
    warning = timedelta(days=court.warning_days)
    return approve(order, errand.actor.actor_id, errand.at + valid_for, warning, errand.at)


def _render(office: Office, read: _Read, errand: Errand) -> dict[Purpose, list[Part]]:
    """Make every notice of the order as it will be; what was proposed is taken as the officers heard it."""
    approved = _approved(read.order, read.court, errand)
    content = {each.language: Made(part=each.part) for each in read.proposed}
    languages = (*read.order.languages, *(each for each in content if each not in read.order.languages))
    wanted = Wanted(languages=languages, content=content)
    if isinstance(approved.subject, NaturalPerson):
        make_replies(office.studio, languages)
    return make_parts(office.studio, approved, read.court, wanted)
