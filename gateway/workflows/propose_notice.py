"""Propose what an order's notice says in one language, hear it, and have a second officer approve it.

Both make a new version of the order: who approves an order decides on its proposals too, as they were read.
"""

from dataclasses import dataclass

from gateway.audit.tags import Tag
from gateway.domain.court import Court
from gateway.domain.errors import GatewayError
from gateway.domain.notice import PublicNotice, Purpose
from gateway.domain.order import Order, OrderState
from gateway.domain.rights import Right
from gateway.domain.subject import NaturalPerson, Organisation
from gateway.register import courts, notices, orders, proposals
from gateway.register.errors import UnknownEntryError
from gateway.register.notices import Officers, Part
from gateway.register.proposals import Proposal
from gateway.workflows.access import order_for
from gateway.workflows.change import Errand, change, demand_unclaimed
from gateway.workflows.office import Office
from gateway.workflows.publish_notice import (
    Source,
    Text,
    demand_playable,
    make_replies,
    purposes_for,
    render,
    replaced,
    wording_for,
)
from gateway.workflows.second_officer import demand_officer, demand_second_hearing

_OVER = {OrderState.LIFTED, OrderState.EXPIRED}


class OrderIsOverError(GatewayError):
    """Order {order} is {state}: nothing is played under it any more, and nothing can be proposed for it."""

    code = "order_is_over"


class NotApprovedYetError(GatewayError):
    """Order {order} is not approved yet: approve the order, and its notices are approved with it."""

    code = "not_approved_yet"


def propose_notice(office: Office, order_id: str, language: str, source: Source | None, errand: Errand) -> Proposal:
    """Render what is to be spoken in `language` and keep it as a proposal; None takes the template's words.

    What is played already goes on until the proposal is approved, by itself or with its draft. Raises what is wrong
    with a text or a recording, OrderIsOverError, UnknownEntryError, NotAllowedError.
    """
    with office.engine.begin() as connection:
        demand_unclaimed(connection, errand)
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_DRAFT)
        court = courts.get(connection, order.court_id)
    _demand_going(order, errand)
    purpose = purposes_for(order.subject)[0]
    spoken = source or Text(text=wording_for(office.studio, order, court, purpose, language))
    part = render(office.studio, spoken, language)
    if isinstance(order.subject, Organisation):
        PublicNotice(subject=order.subject, renditions=(part.rendition,))  # Refuses what would keep callers waiting.
    proposal = Proposal(
        order_id=order_id, purpose=purpose, part=part, added_by=errand.actor.actor_id, added_at=errand.at
    )
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        # What was rendered from the template, and for whom it may be heard, hangs on the order as it was read.
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_DRAFT, expected=order.version)
        saved = orders.save(connection, order)
        proposals.put(connection, proposal, office.keys)
        under_way.note(
            Tag.NOTICE_PROPOSED,
            order_id,
            court_id=order.court_id,
            purpose=purpose.value,
            language=language,
            rendition=part.rendition.mulaw,
            version=saved.version,
        )
    return proposal


def approve_notice(
    office: Office, order_id: str, language: str, errand: Errand, *, expected: int | None = None
) -> Part:
    """Let a proposal for an order that was approved before take the place of what is played in that language.

    In a language that is new to the order, what is heard first (the warning, the opener) is made too. Raises
    SameOfficerError, NotAPersonError, UnknownEntryError, NotAllowedError, OrderIsOverError, NotApprovedYetError,
    StaleVersionError, and what is wrong with a notice.
    """
    demand_officer(errand)
    read = _read(office, order_id, language, errand, expected)
    proposal, purpose = read.proposal, read.proposal.purpose
    first = _first_heard(office, read, language)
    with change(office.engine, office.keys, errand) as under_way:
        connection = under_way.connection
        order = order_for(
            connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=read.order.version
        )
        present = {
            each: list(notices.written_parts(connection, order, each, office.cipher))
            for each in purposes_for(order.subject)
        }
        changed = {purpose: proposal.part, **first}
        for each, part in changed.items():
            present[each] = replaced(present[each], part)
        demand_playable(order, present)
        officers = Officers(added_by=proposal.added_by, approved_by=errand.actor.actor_id)
        for each in changed:
            notices.attach(connection, order, each, present[each], officers, office.cipher)
        proposals.remove(connection, order_id, language)
        saved = orders.save(connection, order)
        under_way.note(
            Tag.NOTICE_APPROVED,
            order_id,
            court_id=order.court_id,
            purpose=purpose.value,
            language=language,
            rendition=" ".join(part.rendition.mulaw for part in changed.values()),
            added_by=proposal.added_by,
            version=saved.version,
        )
    return proposal.part


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    order: Order
    court: Court
    proposal: Proposal
    first_languages: frozenset[str]


def _read(office: Office, order_id: str, language: str, errand: Errand, expected: int | None) -> _Read:
    with office.engine.begin() as connection:
        demand_unclaimed(connection, errand)
        order = order_for(connection, office.keys, errand.actor, order_id, Right.ORDERS_APPROVE, expected=expected)
        _demand_going(order, errand)
        if order.approved_at is None:
            raise NotApprovedYetError(order=order_id)
        content, before = purposes_for(order.subject)
        every = proposals.of_order(connection, order_id, office.keys)
        found = {each.language: each for each in every if each.purpose is content}
        if language not in found:
            raise UnknownEntryError(what="proposal for", shown=language, cure="propose a notice in this language first")
        demand_second_hearing(connection, office.keys, found[language], errand.actor.actor_id)
        first = notices.written_parts(connection, order, before, office.cipher)
        return _Read(
            order=order,
            court=courts.get(connection, order.court_id),
            proposal=found[language],
            first_languages=frozenset(each.rendition.language for each in first),
        )


def _first_heard(office: Office, read: _Read, language: str) -> dict[Purpose, Part]:
    """Make what is heard before the content where the order lacks it in `language`: nobody is told unwarned."""
    if language in read.first_languages:
        return {}
    if isinstance(read.order.subject, NaturalPerson):
        make_replies(office.studio, (language,))
    before = purposes_for(read.order.subject)[1]
    text = wording_for(office.studio, read.order, read.court, before, language)
    return {before: render(office.studio, Text(text=text), language)}


def _demand_going(order: Order, errand: Errand) -> None:
    state = order.state_at(errand.at)
    if state in _OVER:
        raise OrderIsOverError(order=order.order_id, state=state.value)
