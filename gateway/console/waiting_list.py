"""What waits for the reader, as lists that a page can show: what each is called, and where its entries lead."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from flask import url_for
from flask_babel import format_decimal, gettext
from werkzeug.routing import BuildError

from gateway.console.words import word
from gateway.domain.order import Order, OrderState
from gateway.errands.jobs import Job
from gateway.register.batches import Batch
from gateway.register.disputes import Dispute
from gateway.workflows.read_home import SOON, Home
from gateway.workflows.waiting import Waiting, WaitingProposal

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that waits: what it is called, where it is, and what is told of it. `href` may be empty."""

    text: str
    href: str
    court_id: str
    said: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingList:
    """A list on the home page; `number` is the count in words, and `href` leads to all of it where there is a list."""

    name: str
    title: str
    number: str
    entries: tuple[Entry, ...]
    rest: int
    href: str


def waiting_lists(home: Home, cases: Mapping[str, str]) -> tuple[WaitingList, ...]:
    """Return the lists in which something waits, the most pressing first; `cases` are the disputes' case numbers."""
    of_drafts = _address("list_orders", state=OrderState.DRAFT.value)
    days = str(SOON.days)
    found = (
        _list("disputes", gettext("Open disputes"), home.disputes, partial(_dispute, cases), _address("list_disputes")),
        _list(
            "to_approve",
            gettext("Orders to approve"),
            home.to_approve,
            _submitted,
            _address("list_orders", state=OrderState.SUBMITTED.value),
        ),
        _list("batches", gettext("Imports to approve"), home.batches, _batch),
        _list("proposals", gettext("Notices to approve"), home.proposals, _proposal),
        _list("drafts", gettext("Your drafts, and what was sent back to you"), home.drafts, _draft, of_drafts),
        _list("silent", gettext("Orders that lack a notice, and are silent"), home.silent, _silent),
        _list("expiring", gettext("Orders that end within %(days)s days", days=days), home.expiring, _expiring),
        _list("failed_jobs", gettext("Imports and approvals that failed"), home.failed_jobs, _job),
    )
    return tuple(each for each in found if each is not None)


def _list(
    name: str, title: str, waiting: Waiting[T] | None, entry: Callable[[T], Entry], href: str = ""
) -> WaitingList | None:
    if waiting is None or not waiting.count:
        return None
    number = str(format_decimal(waiting.count))
    return WaitingList(
        name=name,
        title=title,
        number=gettext("%(number)s or more", number=number) if waiting.is_more else number,
        entries=tuple(_entries(waiting.first, entry)),
        rest=waiting.count - len(waiting.first),
        href=href,
    )


def _entries(first: Iterable[T], entry: Callable[[T], Entry]) -> Iterator[Entry]:
    return (entry(each) for each in first)


def _address(endpoint: str, **values: Any) -> str:  # noqa: ANN401  (what url_for takes)
    """Return where a page is; nothing where this console has no such page."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def _order(order: Order, said: str, at: datetime) -> Entry:
    return Entry(
        text=order.case_number,
        href=_address("show_order", order_id=order.order_id),
        court_id=order.court_id,
        said=said,
        at=at,
    )


def _submitted(order: Order) -> Entry:
    return _order(order, gettext("submitted"), order.submitted_at or order.drafted_at)


def _draft(order: Order) -> Entry:
    return _order(order, gettext("drafted"), order.drafted_at)


def _expiring(order: Order) -> Entry:
    return _order(order, gettext("ends"), order.valid_until or order.drafted_at)


def _silent(order: Order) -> Entry:
    href = _address("show_notices", order_id=order.order_id) or _address("show_order", order_id=order.order_id)
    return Entry(
        text=order.case_number,
        href=href,
        court_id=order.court_id,
        said=gettext("approved"),
        at=order.approved_at or order.drafted_at,
    )


def _proposal(proposal: WaitingProposal) -> Entry:
    order = proposal.order
    return Entry(
        text=gettext(
            "%(case)s: %(purpose)s (%(language)s)",
            case=order.case_number,
            purpose=word(proposal.purpose),
            language=proposal.language,
        ),
        href=_address("show_notices", order_id=order.order_id),
        court_id=order.court_id,
        said=gettext("proposed"),
        at=proposal.added_at,
    )


def _dispute(cases: Mapping[str, str], dispute: Dispute) -> Entry:
    ground, case = word(dispute.ground), cases.get(dispute.order_id, "")
    return Entry(
        text=gettext("%(ground)s: %(case)s", ground=ground, case=case) if case else ground,
        href=_address("show_dispute", dispute_id=dispute.dispute_id),
        court_id=dispute.court_id,
        said=gettext("opened"),
        at=dispute.opened_at,
    )


def _batch(batch: Batch) -> Entry:
    return Entry(
        text=gettext("%(number)s orders", number=format_decimal(batch.accepted)),
        href=_address("show_batch", batch_id=batch.batch_id),
        court_id=batch.court_id,
        said=gettext("imported"),
        at=batch.created_at,
    )


def _job(job: Job) -> Entry:
    batch_id = str(job.payload.get("batch", ""))
    return Entry(
        text=str(job.result.get("message") or job.error or job.kind),
        href=_address("show_batch", batch_id=batch_id) if batch_id else "",
        court_id=job.court_id,
        said=gettext("failed"),
        at=job.finished_at or job.created_at,
    )
