"""The menu: what a reader may go to, by the rights that were granted."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from gateway.console.languages import language, said
from gateway.console.languages import later as _l
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
# So many different menus a process keeps: there is one for each language and each set of entries.
_MENUS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """One place to go to; `below` is what the addresses of the pages below it begin with, empty where all would."""

    text: str
    href: str
    below: str

    def is_at(self, path: str) -> bool:
        """Tell whether a page lies at the entry or below it."""
        return path == self.href or bool(self.below and path.startswith(self.below))


class Menus:
    """The menus of a console: made once for each language and what is open, for each page has one."""

    def __init__(self, address_of: Callable[[str], str]) -> None:
        """Remember how the address of a page is found."""
        self._address_of = address_of
        self._made = lru_cache(maxsize=_MENUS)(self._make)

    def of(self, actor: Actor) -> tuple[MenuEntry, ...]:
        """Return the entries that an actor may open, in the reader's language."""
        granted = {grant.right for grant in actor.grants}
        return self._made(language(), tuple(name for name, _ in _ENTRIES if _is_open(actor, granted, name)))

    def _make(self, _language: str, names: tuple[str, ...]) -> tuple[MenuEntry, ...]:
        texts = dict(_ENTRIES)
        return tuple(self._entry(name, said(texts[name])) for name in names)

    def _entry(self, name: str, text: str) -> MenuEntry:
        href = self._address_of(name)
        return MenuEntry(text=text, href=href, below="" if name == "home" else f"{href}/")


def _is_open(actor: Actor, granted: AbstractSet[Right], name: str) -> bool:
    need = NEEDS[name]
    if name in _OF_THE_WHOLE:
        return isinstance(need, Right) and actor.may(need, None)
    return need is Door.SIGNED_IN or need in granted
