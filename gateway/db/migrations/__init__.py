"""Alembic's environment and the revisions.

`env` runs on a connection that `gateway.db.migration` opens and commits. Revisions import Alembic and SQLAlchemy only,
never the tables of today: a revision is history. None may lose data in one step; what is dropped is first left unused.
"""
