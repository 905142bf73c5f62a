"""The database: connections, migrations, declarations about tables, and the check of invariants."""
