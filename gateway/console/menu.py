"""The menu: what a reader may go to, by the rights that were granted."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from gateway.console.rights import NEEDS
from gateway.domain.rights import Actor, Right
from gateway.workflows.doors import Door

_ENTRIES = (
    ("home", _l("Home")),
    ("list_orders", _l("Orders")),
    ("list_batches", _l("Import")),
    ("list_districts", _l("Districts")),
    ("list_disputes", _l("Disputes")),
    ("list_audit", _l("Audit")),
    ("try_call", _l("Try a call")),
    ("list_people", _l("People")),
    ("list_api_keys", _l("API keys")),
    ("list_courts", _l("Courts")),
    ("show_settings", _l("Settings")),
)
# What concerns the gateway as a whole: a right in one court opens none of it.
_OF_THE_WHOLE = frozenset({"show_settings"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """One place to go to."""

    text: str
    href: str
    is_here: bool


def menu_of(actor: Actor) -> tuple[MenuEntry, ...]:
    """Return the entries that an actor may open."""
    granted = {grant.right for grant in actor.grants}
    return tuple(_entry(name, str(text)) for name, text in _ENTRIES if _is_open(actor, granted, name))


def _entry(name: str, text: str) -> MenuEntry:
    href = url_for(name)
    return MenuEntry(text=text, href=href, is_here=_is_below(request.path, href))


def _is_open(actor: Actor, granted: AbstractSet[Right], name: str) -> bool:
    need = NEEDS[name]
    if name in _OF_THE_WHOLE:
        return isinstance(need, Right) and actor.may(need, None)
    return need is Door.SIGNED_IN or need in granted


def _is_below(here: str, href: str) -> bool:
    return here == href or (href != url_for("home") and here.startswith(href + "/"))
