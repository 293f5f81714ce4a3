"""Alembic's environment: runs on the connection that `gateway.db.migration` hands over."""

from alembic import context

from gateway.db.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
