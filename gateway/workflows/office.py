"""What the workflows of officers have at hand."""

from dataclasses import dataclass

from sqlalchemy import Engine

from gateway.db.snapshot import Reading
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.privacy.vault import Vault
from gateway.workflows.publish_notice import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The register to write in, the keys, the vault of documents, and the studio that makes renditions.

    `reading` is for lists and pages: it takes no lock that a writer would wait for.
    """

    studio: Studio
    vault: Vault
    reading: Reading

    @property
    def engine(self) -> Engine:
        """Return the engine that loses nothing."""
        return self.studio.engine

    @property
    def keys(self) -> KeyRing:
        """Return the key ring."""
        return self.studio.keys

    @property
    def cipher(self) -> FieldCipher:
        """Return the cipher of encrypted columns."""
        return FieldCipher(self.keys)
