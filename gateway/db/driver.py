"""Statements of the hot path: written out once for each dialect, then handed to the driver as they are.

To execute a Core statement costs several times what SQLite needs to answer it (docs/adr/0021). What SQLAlchemy knows of
types, errors and lost connections is kept.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Insert, Select
from sqlalchemy.engine.interfaces import DBAPICursor

Convert = Callable[[Any], Any]
Rows = list[Any]


class Prepared:
    """A statement with named parameters."""

    def __init__(self, statement: Select[Any] | Insert) -> None:
        """Keep the statement; it is written out when a dialect first asks for it."""
        self._statement = statement
        self._written: dict[str, _Written] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Rows:
        """Return every row, as a named tuple. Raises SQLAlchemyError."""
        written = self._for(connection.dialect)
        with closing(_execute(connection, written, values)) as cursor:
            return written.read(cursor)

    def returns(self, connection: Connection, values: Mapping[str, Any]) -> bool:
        """Execute a statement that ends in RETURNING, and tell whether it returned a row. Raises SQLAlchemyError.

        Python's sqlite3 counts no rows of an insert that begins with a WITH, so that a count could not be relied on.
        """
        with closing(_execute(connection, self._for(connection.dialect), values)) as cursor:
            return bool(cursor.fetchall())

    def _for(self, dialect: Dialect) -> "_Written":
        found = self._written.get(dialect.name)
        if found is None:
            found = self._written[dialect.name] = _Written(self._statement, dialect)
        return found


class _Written:
    """A statement in one dialect's words, with what its values and rows pass through."""

    def __init__(self, statement: Select[Any] | Insert, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._fixed, self._given = _parameters(compiled.bind_names, dialect)
        read = list(statement.selected_columns) if isinstance(statement, Select) else []
        self._dialect = dialect
        self._types = [column.type for column in read]
        self._row: Any = _row_of([column.name for column in read])
        self._converts: tuple[tuple[int, Convert], ...] | None = None

    def bind(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401  (a tuple or a dict, as the driver takes it)
        """Return the parameters as the driver takes them."""
        bound = dict(self._fixed)
        for name, convert in self._given:
            bound[name] = values[name] if convert is None else convert(values[name])
        return tuple(bound[name] for name in self._order) if self._order else bound

    def read(self, cursor: DBAPICursor) -> Rows:
        """Return what the driver found as named rows of Python's types."""
        found = cursor.fetchall()
        if self._converts is None:
            # The types that the database itself names come with the first answer.
            self._converts = self._converting([column[1] for column in cursor.description or ()])
        converts = self._converts
        return [self._row._make(_converted(row, converts)) for row in found]

    def _converting(self, stated: list[Any]) -> tuple[tuple[int, Convert], ...]:
        found = (
            kind.dialect_impl(self._dialect).result_processor(self._dialect, each)
            for kind, each in zip(self._types, stated, strict=True)
        )
        return tuple((place, convert) for place, convert in enumerate(found) if convert is not None)


def _converted(row: Sequence[Any], converts: tuple[tuple[int, Convert], ...]) -> list[Any]:
    values = list(row)
    for place, convert in converts:
        # What is not there needs no conversion; of an order's instants half are not.
        if values[place] is not None:
            values[place] = convert(values[place])
    return values


def _row_of(names: list[str]) -> Any:  # noqa: ANN401  (a class of its own for each query)
    return namedtuple("Row", names)  # noqa: PYI024  (its fields are the query's)


def _execute(connection: Connection, written: _Written, values: Mapping[str, Any]) -> DBAPICursor:
    cursor: DBAPICursor | None = None
    try:
        cursor = connection.connection.cursor()
        cursor.execute(written.text, written.bind(values))
    except connection.dialect.loaded_dbapi.Error as error:
        # What SQLAlchemy does with each of its own: it always raises, and lets go of a connection that was lost.
        connection._handle_dbapi_exception(error, written.text, None, cursor, None)  # noqa: SLF001
    return cursor


def _parameters(
    names: Mapping[BindParameter[Any], str], dialect: Dialect
) -> tuple[dict[str, Any], list[tuple[str, Convert | None]]]:
    """Return the values that stand in the statement, as the driver takes them, and the names that are to be given."""
    fixed: dict[str, Any] = {}
    given: list[tuple[str, Convert | None]] = []
    for each, name in names.items():
        convert = each.type.dialect_impl(dialect).bind_processor(dialect)
        if each.required:
            given.append((name, convert))
        else:
            fixed[name] = each.effective_value if convert is None else convert(each.effective_value)
    return fixed, given
