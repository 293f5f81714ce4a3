"""An order and its life: draft, submitted, approved, warned, in force, suspended, lifted, expired.

What officers did is stored as instants; what time does (warned, in force, expired) follows from them, so that no job
has to run for an order to begin or to end.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from gateway.domain.errors import (
    InvalidTransitionError,
    InvalidWindowError,
    NaiveTimeError,
    NoDocumentError,
    SameOfficerError,
)
from gateway.domain.subject import NaturalPerson, Organisation, Subject

LONGEST_VALIDITY = timedelta(days=366)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_INSTANTS = (
    "drafted_at",
    "submitted_at",
    "approved_at",
    "warned_from",
    "in_force_from",
    "valid_until",
    "suspended_at",
    "lifted_at",
)


class OrderState(Enum):
    """Where an order stands in its life."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    WARNED = "warned"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    LIFTED = "lifted"
    EXPIRED = "expired"


class Life(NamedTuple):
    """The instants that the state of an order follows from."""

    submitted_at: datetime | None
    approved_at: datetime | None
    warned_from: datetime | None
    in_force_from: datetime | None
    valid_until: datetime | None
    suspended_at: datetime | None
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What an order rests on: the legal basis, and the SHA-256 (hex) of the authority document on file."""

    legal_basis: str
    document_sha256: str

    def __post_init__(self) -> None:
        """Refuse an order without a document: the hash of one has 64 hex digits."""
        if _SHA256.fullmatch(self.document_sha256) is None:
            raise NoDocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A judgment's enforceable effect on telephone lines. All instants are aware; raises NaiveTimeError.

    An order about an organisation is a publication order, one about a natural person is a service order: the subject
    decides, and nothing else can. `valid_for` is how long the draft asks for, `version` counts its changes, and
    `earlier_drafters` are those who wrote content that `drafted_by` then edited.
    """

    order_id: str
    court_id: str
    district_id: str
    case_number: str
    subject: Subject
    authority: Authority
    drafted_by: str
    drafted_at: datetime
    submitted_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    warned_from: datetime | None = None
    in_force_from: datetime | None = None
    valid_until: datetime | None = None
    suspended_at: datetime | None = None
    lifted_at: datetime | None = None
    languages: tuple[str, ...] = ("en",)
    valid_for: timedelta | None = None
    version: int = 1
    batch_id: str | None = None
    earlier_drafters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        for name in _INSTANTS:
            instant: datetime | None = getattr(self, name)
            if instant is not None and instant.tzinfo is None:
                raise NaiveTimeError(field=name)

    def state_at(self, now: datetime) -> OrderState:
        """Return the state at `now`; an order that lacks an instant or an officer it needs is never in force."""
        is_personal = isinstance(self.subject, NaturalPerson)
        return state_of(self, now, is_personal=is_personal, has_one_officer=self._has_one_officer)

    def is_by(self, officer: str) -> bool:
        """Tell whether an officer wrote any of what the order says, however the name is spelt."""
        return is_one_of(officer, (self.drafted_by, *self.earlier_drafters))

    def _has_one_officer(self) -> bool:
        return self.approved_by is None or self.is_by(self.approved_by)


def state_of(
    life: Order | Life, now: datetime, *, is_personal: bool, has_one_officer: Callable[[], bool]
) -> OrderState:
    """Return the state at `now` of an order with such a life; `is_personal` where it concerns a natural person.

    `has_one_officer`, which tells whether nobody but its drafters approved it, is asked where that makes a difference.
    """
    now = _instant(now)
    if life.lifted_at is not None:
        return OrderState.LIFTED
    if life.valid_until is not None and now >= life.valid_until:
        return OrderState.EXPIRED
    if life.suspended_at is not None:
        return OrderState.SUSPENDED
    if life.approved_at is None or life.valid_until is None or has_one_officer():
        return OrderState.DRAFT if life.submitted_at is None else OrderState.SUBMITTED
    warned = life.warned_from is not None or is_personal
    if warned and life.in_force_from is not None and now >= life.in_force_from:
        return OrderState.IN_FORCE
    if life.warned_from is not None and now >= life.warned_from:
        return OrderState.WARNED
    return OrderState.APPROVED


def is_one_of(officer: str, officers: Iterable[str]) -> bool:
    """Tell whether an officer is among others, however the names are spelt."""
    return officer.casefold() in {each.casefold() for each in officers}


def redraft(order: Order, officer: str, now: datetime) -> Order:
    """Make who edits a draft its drafter, and remember everybody who wrote it before: none of them may approve it.

    Otherwise two officers could edit each other's drafts by a comma, and each approve what the other handed in.
    Raises InvalidTransitionError where the order is no draft any more, whose content may still change.
    """
    _expect(order, now, "edited", OrderState.DRAFT)
    earlier = {each.casefold(): each for each in (*order.earlier_drafters, order.drafted_by)}
    earlier.pop(officer.casefold(), None)
    return replace(order, drafted_by=officer, earlier_drafters=tuple(earlier.values()))


def submit(order: Order, now: datetime) -> Order:
    """Hand a draft to the approvers. Raises InvalidTransitionError."""
    _expect(order, now, "submitted", OrderState.DRAFT)
    return replace(order, submitted_at=now)


def approve(order: Order, officer: str, valid_until: datetime, warning: timedelta, now: datetime) -> Order:
    """Approve a submitted order: the warning period begins, and only after it is the order in force.

    A natural person's order has no warning period: its opener is content-free and nobody else ever hears it.
    Raises SameOfficerError, InvalidWindowError, InvalidTransitionError.
    """
    now = _instant(now)
    _expect(order, now, "approved", OrderState.SUBMITTED)
    _demand_second(order, officer)
    match order.subject:
        case Organisation():
            in_force_from = now + warning
            if warning <= timedelta(0):
                raise InvalidWindowError(start=in_force_from, end=valid_until, why="give it a warning period first")
        case NaturalPerson():
            in_force_from = now
    _check_window(in_force_from, valid_until)
    return replace(
        order,
        approved_by=officer,
        approved_at=now,
        warned_from=now,
        in_force_from=in_force_from,
        valid_until=valid_until,
    )


def send_back(order: Order, now: datetime) -> Order:
    """Hand a submitted order back to who drafted it. Raises InvalidTransitionError."""
    _expect(order, now, "returned", OrderState.SUBMITTED)
    return replace(order, submitted_at=None)


def resume(order: Order, officer: str, now: datetime) -> Order:
    """Let a suspended order go on: it takes a second officer, as approving it did.

    A warning period that was cut short by the suspension goes on for what was left of it.
    Raises SameOfficerError, InvalidTransitionError.
    """
    now = _instant(now)
    _expect(order, now, "resumed", OrderState.SUSPENDED)
    _demand_second(order, officer)
    begins = order.in_force_from
    if begins is not None and order.suspended_at is not None and order.suspended_at < begins:
        begins = now + (begins - order.suspended_at)
        if order.valid_until is not None and begins >= order.valid_until:
            raise InvalidWindowError(
                start=begins, end=order.valid_until, why="extend it first; the warning is not over"
            )
    return replace(order, suspended_at=None, in_force_from=begins)


def extend(order: Order, officer: str, valid_until: datetime, document_sha256: str, now: datetime) -> Order:
    """Let an order run longer, on the authority of a new document. An expired order needs a new one instead.

    Raises SameOfficerError, InvalidWindowError, InvalidTransitionError, NoDocumentError.
    """
    now = _instant(now)
    _expect(order, now, "extended", OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE, OrderState.SUSPENDED)
    _demand_second(order, officer)
    _check_window(now, valid_until)
    if order.valid_until is not None and valid_until <= order.valid_until:
        raise InvalidWindowError(start=now, end=valid_until, why="it runs until then already; give a later end")
    authority = Authority(legal_basis=order.authority.legal_basis, document_sha256=document_sha256)
    return replace(order, valid_until=valid_until, authority=authority)


def suspend(order: Order, now: datetime) -> Order:
    """Silence the order; a second time changes nothing. Raises InvalidTransitionError."""
    if order.state_at(now) is OrderState.SUSPENDED:
        return order
    _expect(order, now, "suspended", OrderState.APPROVED, OrderState.WARNED, OrderState.IN_FORCE)
    return replace(order, suspended_at=now)


def lift(order: Order, now: datetime) -> Order:
    """End the order for good. Lifting twice keeps the first instant; an expired order may still be lifted."""
    return order if order.lifted_at is not None else replace(order, lifted_at=now)


def _expect(order: Order, now: datetime, verb: str, *allowed: OrderState) -> None:
    state = order.state_at(now)
    if state not in allowed:
        names = " or ".join(each.value for each in allowed)
        raise InvalidTransitionError(order=order.order_id, state=state.value, verb=verb, allowed=names)


def _demand_second(order: Order, officer: str) -> None:
    if order.is_by(officer):
        raise SameOfficerError(officer=officer)


def _instant(now: datetime) -> datetime:
    """Return `now` in UTC, where a difference of instants is a difference of time. Raises NaiveTimeError."""
    if now.tzinfo is None:
        raise NaiveTimeError(field="now")
    return now.astimezone(UTC)


def _check_window(start: datetime, end: datetime) -> None:
    if end.tzinfo is None:
        raise NaiveTimeError(field="valid_until")
    if end <= start:
        raise InvalidWindowError(start=start, end=end, why="it would end before it begins; give a later end")
    if end - start > LONGEST_VALIDITY:
        raise InvalidWindowError(start=start, end=end, why=f"at most {LONGEST_VALIDITY.days} days; give an earlier end")
