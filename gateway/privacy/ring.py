"""The key ring: the key that writes, and every key that still reads.

The gateway hands one ring to whoever needs keys and swaps what is in it while it serves, so that a rotation needs no
restart. What was swapped is whole: readers see the ring before or after, never half of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.privacy.errors import UnknownKeyError
from gateway.privacy.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a ring holds: `active` writes, `known` reads (active first).

    Of retired keys two are left, by key id: the audit key, which proves old rows of the trail, and the key under which
    random secrets were hashed, so that an API key is good until it expires. Neither opens or finds anything of a case.
    """

    active: Keys
    known: tuple[Keys, ...]
    retired_audit: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    retired_secrets: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)


class KeyRing:
    """The keys in use, swapped whole by `replace`."""

    def __init__(
        self,
        active: Keys,
        *,
        others: tuple[Keys, ...] = (),
        retired: Mapping[str, bytes] | None = None,
        retired_secrets: Mapping[str, bytes] | None = None,
    ) -> None:
        """Hold `active`, the `others` that still read, and by key id what is left of retired ones."""
        self._held = Held(
            active=active,
            known=(active, *others),
            retired_audit=dict(retired or {}),
            retired_secrets=dict(retired_secrets or {}),
        )

    @property
    def held(self) -> Held:
        """Return what the ring holds now; keep it for the length of one piece of work, not longer."""
        return self._held

    @property
    def active(self) -> Keys:
        """Return the key that writes."""
        return self._held.active

    @property
    def known(self) -> tuple[Keys, ...]:
        """Return every key that reads, the active one first."""
        return self._held.known

    @property
    def key_id(self) -> str:
        """Return the public name of the active key."""
        return self._held.active.key_id

    @property
    def secret_keys(self) -> tuple[bytes, ...]:
        """Return every key under which a random secret may have been hashed, the active one first."""
        held = self._held
        return (*(keys.secrets for keys in held.known), *held.retired_secrets.values())

    def key(self, key_id: str) -> Keys:
        """Return one key. Raises UnknownKeyError."""
        for each in self._held.known:
            if each.key_id == key_id:
                return each
        raise UnknownKeyError(key_id=key_id)

    def audit_key(self, key_id: str) -> bytes:
        """Return the key of one of the trail's rows, of a retired master key too. Raises UnknownKeyError."""
        held = self._held
        for each in held.known:
            if each.key_id == key_id:
                return each.audit
        try:
            return held.retired_audit[key_id]
        except KeyError as error:
            raise UnknownKeyError(key_id=key_id) from error

    def replace(self, other: "KeyRing") -> None:
        """Hold from now on what `other` holds."""
        self._held = other.held
