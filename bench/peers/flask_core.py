"""The reference of the API: bare Flask views with a Core query over the same database; no key, nothing decrypted."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify
from sqlalchemy import create_engine, select

from bench.peers.environment import DATABASE
from gateway.register.tables import orders

application = Flask("flask_core", static_folder=None)
_ENGINE = create_engine(f"sqlite:///{DATABASE}")
_PAGE = 50


@application.get("/api/v1/orders")
def list_orders() -> Response:
    """Answer the newest orders as the table has them."""
    statement = select(orders).order_by(orders.c.drafted_at.desc(), orders.c.order_id.desc()).limit(_PAGE)
    with _ENGINE.connect() as connection:
        return jsonify(items=[_shown(row) for row in connection.execute(statement).mappings()])


@application.get("/api/v1/orders/<order_id>")
def get_order(order_id: str) -> Response:
    """Answer one order as the table has it."""
    with _ENGINE.connect() as connection:
        return jsonify(_shown(connection.execute(select(orders).where(orders.c.order_id == order_id)).mappings().one()))


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
