"""Run by Alembic. The connection comes from `storage.database`, which owns the transaction around it."""

from alembic import context

from noria.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
