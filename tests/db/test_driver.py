"""Statements that go straight to the driver find what SQLAlchemy finds, and fail as it does."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, literal, select, true
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.assembly import Parts
from gateway.db.driver import Prepared
from gateway.register.tables import courts, districts, orders, renditions

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_OF_COURT = (
    select(orders, courts.c.openers_per_day, districts.c.enabled, orders.c.valid_until.label("until"))
    .join(courts, courts.c.court_id == orders.c.court_id)
    .join(districts, districts.c.district_id == orders.c.district_id)
    .where(
        orders.c.court_id == bindparam("court"),
        orders.c.drafted_at < bindparam("before", type_=orders.c.drafted_at.type),
    )
    .where(orders.c.version >= 1)
    .order_by(orders.c.order_id)
)


def test_rows_are_those_that_core_finds_with_names_and_types(parts: Parts) -> None:
    values = {"court": "lakeside", "before": datetime(2100, 1, 1, tzinfo=UTC)}
    with parts.calls.connect() as connection:
        expected = connection.execute(_OF_COURT, values).mappings().all()
        found = Prepared(_OF_COURT).rows(connection, values)
    assert len(found) > 1
    assert [row._asdict() for row in found] == [dict(row) for row in expected]
    assert isinstance(found[0].until, datetime)
    assert isinstance(found[0].enabled, bool)
    assert isinstance(found[0].subject, bytes)


def test_numbers_with_a_point_are_numbers_with_a_point(parts: Parts) -> None:
    statement = select(renditions.c.seconds, renditions.c.mulaw).limit(3)
    with parts.calls.connect() as connection:
        found = Prepared(statement).rows(connection, {})
        expected = connection.execute(statement).all()
    assert [tuple(row) for row in found] == [tuple(row) for row in expected]
    assert isinstance(found[0].seconds, float)


def test_no_row_is_an_empty_list(parts: Parts) -> None:
    with parts.calls.connect() as connection:
        assert Prepared(_OF_COURT).rows(connection, {"court": "nowhere", "before": NOON}) == []


def test_a_statement_that_returns_tells_whether_it_did_something(parts: Parts) -> None:
    row = select(
        bindparam("id", type_=districts.c.district_id.type),
        courts.c.court_id,
        bindparam("name", type_=districts.c.name.type),
        true().label("enabled"),
        literal("").label("reason"),
        bindparam("at", type_=districts.c.switched_at.type),
    ).where(courts.c.court_id == bindparam("court"))
    columns = ["district_id", "court_id", "name", "enabled", "reason", "switched_at"]
    statement = insert(districts).from_select(columns, row)
    adding = Prepared(statement.returning(districts.c.district_id))
    with parts.calls.connect() as connection:
        assert adding.returns(connection, {"id": "new", "name": "New", "at": NOON, "court": "lakeside"})
        assert not adding.returns(connection, {"id": "newer", "name": "Newer", "at": NOON, "court": "nowhere"})
        ids = set(connection.execute(select(districts.c.district_id)).scalars())
    assert "new" in ids
    assert "newer" not in ids


def test_what_the_database_refuses_is_an_error_of_sqlalchemy_without_what_was_asked(parts: Parts) -> None:
    statement = Prepared(select(orders.c.order_id).where(orders.c.order_id == bindparam("id")))
    with parts.calls.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.close()
        with pytest.raises(SQLAlchemyError) as caught:
            statement.rows(connection, {"id": "a secret"})
    assert isinstance(caught.value, DBAPIError)
    assert "a secret" not in str(caught.value)


def test_a_connection_that_was_lost_is_not_lent_again(parts: Parts) -> None:
    statement = Prepared(select(courts.c.court_id))
    with parts.calls.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.close()
        with pytest.raises(SQLAlchemyError):
            statement.rows(connection, {})
    with parts.calls.connect() as connection:
        assert statement.rows(connection, {})
