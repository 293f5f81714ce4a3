"""What imported orders are to say in their courts' own words, kept until they are approved and rendered."""

from sqlalchemy import Connection, delete, select

from gateway.privacy.field import FieldCipher
from gateway.privacy.ring import KeyRing
from gateway.register.tables import own_words


def of_order(connection: Connection, order_id: str, keys: KeyRing) -> dict[str, str]:
    """Return an order's own words by language."""
    cipher = FieldCipher(keys)
    statement = select(own_words).where(own_words.c.order_id == order_id).order_by(own_words.c.language)
    return {
        row.language: cipher.decrypt(row.text, place=place(order_id, row.language))
        for row in connection.execute(statement)
    }


def remove(connection: Connection, order_id: str) -> None:
    """Remove an order's own words, which its notices have said since."""
    connection.execute(delete(own_words).where(own_words.c.order_id == order_id))


def place(order_id: str, language: str) -> str:
    """Return the place that encrypted words are bound to."""
    return f"own_words.text:{order_id}:{language}"
