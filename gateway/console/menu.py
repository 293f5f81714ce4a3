"""The menu: what a reader may go to, by the rights that were granted."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from gateway.console.languages import language, said
from gateway.console.languages import later as _l
from gateway.console.rights import NEEDS
from gateway.domain.rights import Actor, Everywhere, Grant, Right
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
        self._written = lru_cache(maxsize=_MENUS * len(_ENTRIES))(_write)

    def of(self, actor: Actor, path: str) -> Markup:
        """Return what an actor may open, as the items of a list in the reader's language; the one at `path` is marked.

        Empty where there is nothing to open.
        """
        entries = self._made(language(), _open_to(actor.grants))
        return self._written(entries, tuple(entry.is_at(path) for entry in entries))

    def _make(self, _language: str, names: tuple[str, ...]) -> tuple[MenuEntry, ...]:
        texts = dict(_ENTRIES)
        return tuple(self._entry(name, said(texts[name])) for name in names)

    def _entry(self, name: str, text: str) -> MenuEntry:
        href = self._address_of(name)
        return MenuEntry(text=text, href=href, below="" if name == "home" else f"{href}/")


def _write(entries: tuple[MenuEntry, ...], at: tuple[bool, ...]) -> Markup:
    item = Markup('<li><a class="console-menu__link" href="{}"{}>{}</a></li>\n')
    here = Markup(' aria-current="page"')
    shown = (
        item.format(entry.href, here if is_at else "", entry.text) for entry, is_at in zip(entries, at, strict=True)
    )
    return Markup().join(shown)


@lru_cache(maxsize=_MENUS)
def _open_to(grants: frozenset[Grant]) -> tuple[str, ...]:
    """Return the names of the entries that grants open."""
    anywhere = {grant.right for grant in grants}
    of_the_whole = {grant.right for grant in grants if isinstance(grant.scope, Everywhere)}
    return tuple(name for name, _ in _ENTRIES if _is_open(name, of_the_whole if name in _OF_THE_WHOLE else anywhere))


def _is_open(name: str, granted: AbstractSet[Right]) -> bool:
    need = NEEDS[name]
    return need is Door.SIGNED_IN or need in granted
