"""The database: connections, migrations, what is declared about tables, and the check of invariants."""
