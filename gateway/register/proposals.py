"""What a court proposes to have spoken, one language of an order's own notice each; it plays once it is approved."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from gateway.domain.notice import Purpose
from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.notices import RENDITION, Part, read_rendition
from gateway.register.tables import proposals, renditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One language of a notice, rendered and waiting for a second officer."""

    order_id: str
    purpose: Purpose
    part: Part
    added_by: str
    added_at: datetime

    @property
    def language(self) -> str:
        """Return the language, as BCP 47 has it."""
        return self.part.rendition.language


def put(connection: Connection, proposal: Proposal, keys: KeyRing) -> None:
    """Put a proposal in the place of any earlier one for the same language."""
    remove(connection, proposal.order_id, proposal.language)
    place = f"proposals.text:{proposal.order_id}:{proposal.language}"
    connection.execute(
        proposals.insert().values(
            order_id=proposal.order_id,
            purpose=proposal.purpose.value,
            language=proposal.language,
            text=FieldCipher(keys).encrypt(proposal.part.text, place=place) if proposal.part.text else None,
            rendition_id=proposal.part.rendition_id,
            added_by=proposal.added_by,
            added_at=proposal.added_at,
        )
    )


def of_order(connection: Connection, order_id: str, keys: KeyRing) -> tuple[Proposal, ...]:
    """Return an order's proposals, by language."""
    cipher = FieldCipher(keys)
    statement = (
        select(proposals, *(column.label(f"made_{column.name}") for column in RENDITION))
        .join(renditions, renditions.c.rendition_id == proposals.c.rendition_id)
        .where(proposals.c.order_id == order_id)
        .order_by(proposals.c.language)
    )
    return tuple(
        Proposal(
            order_id=order_id,
            purpose=Purpose(row.purpose),
            part=Part(
                rendition_id=row.rendition_id,
                rendition=read_rendition(row, prefix="made_"),
                text=cipher.decrypt(row.text, place=f"proposals.text:{order_id}:{row.language}") if row.text else "",
            ),
            added_by=row.added_by,
            added_at=row.added_at,
        )
        for row in connection.execute(statement)
    )


def remove(connection: Connection, order_id: str, language: str = "") -> None:
    """Remove an order's proposal for a language, or all of them."""
    statement = delete(proposals).where(proposals.c.order_id == order_id)
    connection.execute(statement.where(proposals.c.language == language) if language else statement)
