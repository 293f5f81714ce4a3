"""An order and its life: draft, submitted, approved, warned, in force, suspended, lifted, expired.

What officers did is stored as instants; what time does (warned, in force, expired) follows from them, so that no job
has to run for an order to begin or to end.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

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
    decides, and nothing else can.
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

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        for name in _INSTANTS:
            instant: datetime | None = getattr(self, name)
            if instant is not None and instant.tzinfo is None:
                raise NaiveTimeError(field=name)

    def state_at(self, now: datetime) -> OrderState:
        """Return the state at `now`; an order that lacks an instant or an officer it needs is never in force."""
        now = _instant(now)
        if self.lifted_at is not None:
            return OrderState.LIFTED
        if self.valid_until is not None and now >= self.valid_until:
            return OrderState.EXPIRED
        if self.suspended_at is not None:
            return OrderState.SUSPENDED
        if self.approved_at is None or self.valid_until is None or self._has_one_officer():
            return OrderState.DRAFT if self.submitted_at is None else OrderState.SUBMITTED
        warned = self.warned_from is not None or isinstance(self.subject, NaturalPerson)
        if warned and self.in_force_from is not None and now >= self.in_force_from:
            return OrderState.IN_FORCE
        if self.warned_from is not None and now >= self.warned_from:
            return OrderState.WARNED
        return OrderState.APPROVED

    def _has_one_officer(self) -> bool:
        return self.approved_by is None or self.approved_by.casefold() == self.drafted_by.casefold()


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
    if officer.casefold() == order.drafted_by.casefold():
        raise SameOfficerError(officer=officer)
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
