"""What Alembic runs: the migrations, in the transaction that `penstock.catalog.database.migrate` opened."""

from alembic import context

from penstock.catalog.database.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
