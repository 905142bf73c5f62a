"""Write migrations/schema.toml from a newly migrated database: `make schema`."""

import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from meterai.plumbing.db import catalog
from meterai.plumbing.db.embedded import EmbeddedPostgres
from meterai.plumbing.db.migrations import migrate

FILE = Path(__file__).parents[1] / "migrations" / "schema.toml"
COMMAND = "make schema"
HEAD = f"""\
# What the migrations make, as the catalogs of PostgreSQL tell it; `meterai audit` compares it with the
# database.  Written by `{COMMAND}`, which a new migration demands; tests/tidy holds the two equal.

"""


def document(url: str) -> str:
    """Return the whole file, from a migrated database."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute(f"SET LOCAL search_path = {catalog.OF_CATALOGS}".encode())
        rows: list[dict[str, Any]] = connection.execute(catalog.DESCRIBE.encode()).fetchall()
    return HEAD + catalog.written(catalog.description(rows))


def main() -> None:
    """Build a database for it and delete it."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            url = server.start()
            migrate(url)
            FILE.write_text(document(url))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
