"""Levers at the command line: by anybody without a supervisor, otherwise by staff, some of them by two people."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meterai.commands import Exit
from tests.support.commands import Done, run_here
from tests.support.desk import Desk, staff_session
from tests.support.lines import BUYING


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    return tmp_path


def typed(data: Path, url: str, *words: str, **settings: str) -> Done:
    return run_here(data, *words, DATABASE_URL=url, **settings)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def is_open(url: str) -> bool:
    [(found,)] = rows(url, "SELECT is_open FROM issuing")
    return bool(found)


@pytest.fixture
def two(database_url: str) -> tuple[Desk, Desk]:
    """Return two supervisors."""
    return staff_session(database_url, "supervisor"), staff_session(database_url, "supervisor")


def test_installation_without_supervisor_acts_at_once(data: Path, database_url: str) -> None:
    done = typed(
        data,
        database_url,
        *("issuing", "stop", "a flood", "--by", "budi"),
        METERAI_APPROVAL_ALWAYS="issuing stop",
    )
    assert done.returncode == Exit.DONE, done.stderr
    assert not is_open(database_url)
    assert rows(database_url, "SELECT 1 FROM approvals") == []
    assert rows(
        database_url, "SELECT actor, subject FROM audit_events WHERE action = 'lever_pulled'"
    ) == [("operator:budi", "issuing stop")]


@pytest.mark.parametrize("supervisors", [0, 2])
def test_dry_run_prints_the_forecast_and_does_nothing(
    request: pytest.FixtureRequest, data: Path, database_url: str, supervisors: int
) -> None:
    by = request.getfixturevalue("two")[0].email if supervisors else "budi"
    words = ("issuing", "stop", "a flood", "--dry-run", "--by", by)
    done = typed(data, database_url, *words, METERAI_APPROVAL_ALWAYS="issuing stop")
    assert done.returncode == Exit.DONE, done.stderr
    assert "a flood" in done.stdout
    assert "Paid orders wait (at most 0 now)" in done.stdout
    assert is_open(database_url)
    assert rows(database_url, "SELECT 1 FROM approvals") == []
    assert rows(database_url, "SELECT 1 FROM audit_events WHERE action = 'lever_pulled'") == []


@pytest.mark.parametrize(
    "by", ["budi", "stranger@example.id", ""], ids=["name", "stranger", "user"]
)
def test_levers_need_staff_once_a_supervisor_exists(
    data: Path, database_url: str, two: tuple[Desk, Desk], by: str
) -> None:
    who = ("--by", by) if by else ()
    done = typed(data, database_url, "issuing", "stop", "a flood", *who)
    assert done.returncode == Exit.NO
    assert "staff_unknown: " in done.stderr
    assert is_open(database_url)


def test_staff_pull_levers_of_their_role_under_their_account(
    data: Path, database_url: str, two: tuple[Desk, Desk]
) -> None:
    support = staff_session(database_url, "support")
    operations = staff_session(database_url, "operations")
    refused = typed(data, database_url, "issuing", "stop", "a flood", "--by", support.email)
    assert refused.returncode == Exit.NO
    assert "not_permitted: " in refused.stderr
    done = typed(data, database_url, "issuing", "stop", "a flood", "--by", operations.email)
    assert done.returncode == Exit.DONE, done.stderr
    assert not is_open(database_url)
    [(actor, facts)] = rows(
        database_url, "SELECT actor, facts FROM audit_events WHERE action = 'lever_pulled'"
    )
    assert actor == f"staff:{operations.shown}"
    assert facts["at"] == "command line"
    assert facts["user"]


def test_staff_role_is_given_by_two_supervisors(
    data: Path, database_url: str, two: tuple[Desk, Desk]
) -> None:
    one, other = two
    new = staff_session(database_url)
    give = ("staff", "give", new.email, "finance", "--reason", "starts on Monday")
    asked = typed(data, database_url, *give, "--by", one.email)
    assert asked.returncode == Exit.WAITS, asked.stderr
    found = re.search(r"(apr_\w+) waits", asked.stdout)
    assert found is not None, asked.stdout
    [request] = found.groups()
    again = typed(data, database_url, *give, "--by", one.email)
    assert again.returncode == Exit.NO
    assert "act_asked_for: " in again.stderr

    listed = typed(data, database_url, "approvals", "list")
    assert request in listed.stdout
    assert "starts on Monday" in listed.stdout
    shown = typed(data, database_url, "approvals", "show", request)
    assert new.email in shown.stdout
    assert "rows: 1, rupiah: 0" in shown.stdout

    own = typed(data, database_url, "approvals", "approve", request, "--by", one.email)
    assert own.returncode == Exit.NO
    assert "own_request: " in own.stderr
    done = typed(data, database_url, "approvals", "approve", request, "--by", other.email)
    assert done.returncode == Exit.DONE, done.stderr
    assert new.email in typed(data, database_url, "staff", "list").stdout
    late = typed(data, database_url, "approvals", "approve", request, "--by", other.email)
    assert late.returncode == Exit.NO
    assert "not_allowed_now: " in late.stderr
    held = typed(data, database_url, "audit")
    assert held.returncode == Exit.DONE, held.stdout


def test_overtaken_approval_prints_the_current_forecast(
    data: Path, database_url: str, two: tuple[Desk, Desk]
) -> None:
    one, other = two
    always = {"METERAI_APPROVAL_ALWAYS": "line rate"}
    rate = ("line", "rate", BUYING, "--at-most", "50", "--by", one.email)
    asked = typed(data, database_url, *rate, "--reason", "slow", **always)
    [request] = re.findall(r"(apr_\w+) waits", asked.stdout)
    end = ("line", "end", BUYING, "--reason", "over", "--by", other.email)
    assert typed(data, database_url, *end).returncode == Exit.DONE
    done = typed(data, database_url, "approvals", "approve", request, "--by", other.email)
    assert done.returncode == Exit.NO
    assert "overtaken" in done.stdout
    assert "line_unknown" in done.stdout
