"""Acts of an operator at the command line are in the audit trail under a name."""

import os
import pwd
from pathlib import Path

import psycopg
import pytest

from meterai.commands import Exit
from tests.support.commands import run_here


def actors(url: str, action: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT actor FROM audit_events WHERE action = %s ORDER BY happened_at", (action,)
        )
        return [actor for (actor,) in rows.fetchall()]


def test_operator_is_the_given_name_or_the_system_user(data: Path, database_url: str) -> None:
    user = pwd.getpwuid(os.getuid()).pw_name
    for words in (("--by", "budi"), ()):
        stop = ("issuing", "stop", "a flood", *words)
        assert run_here(data, *stop, DATABASE_URL=database_url).returncode == Exit.DONE
        again = ("issuing", "open", *words)
        assert run_here(data, *again, DATABASE_URL=database_url).returncode == Exit.DONE
    for action in ("issuing_stopped", "issuing_opened"):
        assert actors(database_url, action) == ["operator:budi", f"operator:{user}"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["", "x" * 101], ids=["empty", "long"])
def test_invalid_name_of_operator_is_refused(data: Path, database_url: str, name: str) -> None:
    done = run_here(data, "issuing", "stop", "a flood", "--by", name, DATABASE_URL=database_url)
    assert done.returncode == Exit.USAGE
    assert actors(database_url, "issuing_stopped") == []
