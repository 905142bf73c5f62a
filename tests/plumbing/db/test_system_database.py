"""`database = "system"`: the PostgreSQL server of the machine, found as libpq finds it."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from meterai.apps.settings import settings_of as make_settings
from meterai.commands import DatabaseMissing, DatabaseUnreachable, database_of
from meterai.plumbing.config import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(data=str(tmp_path), database="system")


def test_database_is_made_on_the_server_of_the_machine(
    server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", parse_qs(urlsplit(server).query)["host"][0])
    monkeypatch.setenv("PGUSER", "postgres")
    with pytest.raises(DatabaseMissing), database_of(settings):
        pass  # only a caller with `may_make` makes the database
    for _ in range(2):  # the second time it exists
        with (
            database_of(settings, may_make=True) as ready,
            psycopg.connect(ready.process.database_url) as connection,
        ):
            found = connection.execute("SELECT current_database()").fetchone()
            assert found == ("meterai",)
    assert not (Path(settings.process.data) / "postgres").exists()


def test_missing_server_on_the_machine_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "/nowhere")
    with pytest.raises(DatabaseUnreachable), database_of(settings):
        pass
