"""The menu: what a reader may go to, by the rights that were granted."""

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import lazy_gettext as _l

from gateway.console.rights import NEEDS
from gateway.domain.rights import Actor, Right
from gateway.workflows.doors import Door

_ENTRIES = (
    ("home", _l("Home")),
    ("list_orders", _l("Orders")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """One place to go to."""

    text: str
    href: str
    is_here: bool


def menu_of(actor: Actor) -> tuple[MenuEntry, ...]:
    """Return the entries that an actor may open."""
    here = request.path
    return tuple(
        MenuEntry(text=str(text), href=url_for(name), is_here=_is_below(here, url_for(name)))
        for name, text in _ENTRIES
        if _is_open(actor, name)
    )


def _is_open(actor: Actor, name: str) -> bool:
    need = NEEDS[name]
    return need is Door.SIGNED_IN or (isinstance(need, Right) and not actor.reach(need).is_empty)


def _is_below(here: str, href: str) -> bool:
    return here == href or (href != url_for("home") and here.startswith(href + "/"))
