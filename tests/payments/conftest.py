"""A till for the tests of payments."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.support.till import Till, open_till


@pytest.fixture(scope="module")
def open_one(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Till]:
    """A till that the tests of a module share, with a database of its own."""
    folder = tmp_path_factory.mktemp("till")
    name = f"test_{folder.name}_{abs(hash(folder)):x}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with open_till(server.replace("/postgres?", f"/{name}?"), folder) as opened:
        yield opened
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def till(open_one: Till) -> Iterator[Till]:
    """An account without orders and a bank without faults; afterwards every invariant holds."""
    open_one.clear()
    yield open_one
    open_one.assert_books_hold()
