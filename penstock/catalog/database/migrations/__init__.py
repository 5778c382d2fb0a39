"""Versions of the catalog's schema, one file a version, run by Alembic in `penstock.catalog.database.migrate`."""
