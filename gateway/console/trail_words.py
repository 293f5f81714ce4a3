"""Entries of the trail as a page shows them: words for tags and details, and where what they tell of can be seen."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from flask import url_for
from werkzeug.routing import BuildError

from gateway.audit.reading import TrailEntry
from gateway.audit.tags import Tag
from gateway.console.languages import LANGUAGES, language, said
from gateway.console.languages import later as _l
from gateway.console.words import word
from gateway.domain.notice import Purpose
from gateway.domain.order import OrderState
from gateway.domain.rights import Role
from gateway.domain.standing import Ground
from gateway.register.disputes import Resolution

# The ids that the trail is full of, by what they begin with: which page shows such a thing.
_PAGES = {
    "ord_": ("show_order", "order_id"),
    "dis_": ("show_dispute", "dispute_id"),
    "bat_": ("show_batch", "batch_id"),
}
_PREFIX = 4
# Details whose value is a code, by what it is a code of; and those whose value is an instant.
_KINDS: Mapping[str, type[Enum]] = {
    "ground": Ground,
    "purpose": Purpose,
    "resolution": Resolution,
    "role": Role,
    "was": OrderState,
}
_CODES = {name: {str(each.value): each for each in kind} for name, kind in _KINDS.items()}
_INSTANTS = frozenset({"in_force_from", "until", "valid_until"})
_SHORT = 90
_DETAILS: Mapping[str, str] = {
    "approved": _l("approved"),
    "approved_by": _l("approved by"),
    "batch": _l("batch"),
    "dispute": _l("dispute"),
    "document": _l("document"),
    "drafted_by": _l("drafted by"),
    "failed": _l("failed"),
    "given_by": _l("given by"),
    "ground": _l("ground"),
    "in_force_from": _l("in force from"),
    "known": _l("known before"),
    "language": _l("language"),
    "line": _l("line"),
    "lines": _l("lines"),
    "method": _l("with"),
    "notices": _l("notices"),
    "order": _l("order"),
    "orders": _l("orders"),
    "parent": _l("belongs to"),
    "plays": _l("plays"),
    "purpose": _l("purpose"),
    "reason": _l("reason"),
    "refused": _l("refused"),
    "rendition": _l("rendition"),
    "resolution": _l("resolution"),
    "role": _l("role"),
    "scope": _l("where"),
    "session": _l("session"),
    "state": _l("state"),
    "until": _l("until"),
    "valid_until": _l("valid until"),
    "version": _l("version"),
    "was": _l("before"),
    "withdrawn": _l("withdrawn"),
}


class ShownDetail(NamedTuple):
    """One detail of an entry: `href` is where the thing it names can be seen, `at` the instant that it tells."""

    name: str
    value: str
    href: str
    at: datetime | None


def done_in_words(tag: str) -> str:
    """Return what was done in words; a tag of another release is shown as it is."""
    try:
        return word(Tag(tag))
    except ValueError:
        return tag


def actor_in_words(name: str) -> str:
    """Return an actor's name; those who are no person have a word of the reader's language instead."""
    match name:
        case "command-line":
            return said(_l("the command line"))
        case "gateway":
            return said(_l("the gateway"))
        case "callee":
            return said(_l("whoever picked up"))
        case _:
            return name


def href_of(some_id: str) -> str:
    """Return where the thing with an id can be seen; empty where no page shows such things."""
    page = _PAGES.get(some_id[:_PREFIX])
    return _address(*page, some_id) if page else ""


def subject_href(entry: TrailEntry) -> str:
    """Return where the thing that an entry tells of can be seen; empty where no page shows such things."""
    if entry.tag.startswith("office:district:"):
        return _address("show_district", "district_id", entry.subject_id)
    return href_of(entry.subject_id)


def is_short(details: Iterable[ShownDetail]) -> bool:
    """Tell whether details are few words, which need not be opened first."""
    return sum(len(each.name) + len(each.value) for each in details) <= _SHORT


def details_in_words(entry: TrailEntry) -> Iterator[ShownDetail]:
    """Yield the details of an entry: codes in words, and with each id where the thing can be seen."""
    code = language()
    for name, value in entry.details.items():
        text = said(_l("none")) if value is None else _value(name, str(value))
        at = _instant(text) if name in _INSTANTS else None
        yield ShownDetail(_name(code, name) if name in _DETAILS else name, text, href_of(text), at)


@lru_cache(maxsize=len(LANGUAGES) * len(_DETAILS))
def _name(_language: str, name: str) -> str:
    return said(_DETAILS[name])


def _value(name: str, text: str) -> str:
    code = _CODES[name].get(text) if name in _CODES else None
    return text if code is None else word(code)


def _instant(text: str) -> datetime | None:
    """Return the instant that a text tells; what somebody edited is shown as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _address(endpoint: str, argument: str, value: str) -> str:
    try:
        return url_for(endpoint, **dict[str, Any]({argument: value}))
    except BuildError:
        return ""
