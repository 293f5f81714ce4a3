"""What officers wrote when they suspended, resumed or lifted an order; encrypted, and purged with the order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.ids import new_id
from gateway.register.tables import remarks

LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """An officer's words on what was done (`about` is the trail's tag) to an order."""

    about: str
    text: str
    written_by: str
    at: datetime


def add(connection: Connection, order_id: str, remark: Remark, keys: KeyRing) -> None:
    """Keep a remark; an empty one is none."""
    if not remark.text.strip():
        return
    remark_id = new_id("rem")
    connection.execute(
        remarks.insert().values(
            remark_id=remark_id,
            order_id=order_id,
            about=remark.about,
            text=FieldCipher(keys).encrypt(remark.text.strip()[:LONGEST], place=f"remarks.text:{remark_id}"),
            written_by=remark.written_by,
            at=remark.at,
        )
    )


def of_order(connection: Connection, order_id: str, keys: KeyRing) -> tuple[Remark, ...]:
    """Return the remarks on an order, oldest first."""
    cipher = FieldCipher(keys)
    statement = select(remarks).where(remarks.c.order_id == order_id).order_by(remarks.c.at, remarks.c.remark_id)
    return tuple(
        Remark(
            about=row.about,
            text=cipher.decrypt(row.text, place=f"remarks.text:{row.remark_id}"),
            written_by=row.written_by,
            at=row.at,
        )
        for row in connection.execute(statement)
    )
