"""The database: engines, the metadata that tables hang on, column types and migrations.

Imports SQLAlchemy, Alembic and the standard library; knows no table by name.
It must never create a database behind a caller's back: on the call path a missing file is an outage, not a new file.
"""
