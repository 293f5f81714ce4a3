"""Whether an order still says what a reader has read: a short keyed hash of each thing that an order says.

The hashes travel in the form; when it comes back late, the page marks what has become another since.
"""

import hmac
from collections.abc import Iterable, Mapping

from gateway.domain.order import Order
from gateway.privacy.ring import KeyRing
from gateway.register.order_list import ListedOrder
from gateway.workflows.read_order_words import Words

_DIGITS = 12


def marks_of(order: Order, listed: ListedOrder, words: Iterable[Words], keys: KeyRing) -> dict[str, str]:
    """Return a mark for each thing that an order says."""
    said: Mapping[str, object] = {
        "district": order.district_id,
        "case_number": order.case_number,
        "subject": (type(order.subject).__name__, order.subject.name, getattr(order.subject, "identifier", "")),
        "legal_basis": order.authority.legal_basis,
        "document": order.authority.document_sha256,
        "validity": (order.valid_for, order.valid_until),
        "drafted_by": (order.drafted_by, order.earlier_drafters),
        "languages": order.languages,
        "lines": [(e.line.number.number, e.line.zone, e.line.evidence, e.suspended_at) for e in listed.lines],
        # The day in a warning moves with the day on which it is read.
        "words": [(each.purpose, each.language, each.origin, each.seconds, _fixed(each)) for each in words],
    }
    return {name: _mark(name, repr(value), keys) for name, value in said.items()}


def written(marks: Mapping[str, str]) -> str:
    """Return marks as a form's hidden field holds them."""
    return " ".join(f"{name}={mark}" for name, mark in marks.items())


def changed_since(seen: str, marks: Mapping[str, str]) -> frozenset[str]:
    """Return what has become another since a reader has seen it; nothing where the field cannot be read."""
    known = dict(each.split("=", 1) for each in seen.split() if "=" in each)
    return frozenset(name for name, mark in marks.items() if name in known and known[name] != mark)


def _fixed(words: Words) -> str:
    return words.text if words.origin.value != "template" else ""


def _mark(name: str, value: str, keys: KeyRing) -> str:
    content = f"{name}\x00{value}".encode()
    return hmac.new(keys.active.secrets, content, "sha256").hexdigest()[:_DIGITS]
