"""Pages of the supervisor: content, files, and access."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from meterai.kit.days import Month, day_of
from meterai.plumbing.messages import translate
from meterai.regulator.service import StatementService
from tests.console.conftest import Floor
from tests.support.walk_in import WalkIn
from tests.support.within import browsed, settings_of

HERE = "/console/statements"
NONE = "1R5V772E07000TGC01DY53"  # an unknown serial


@pytest.fixture
def floor(database_url: str, tmp_path: Path) -> Iterator[Floor]:
    with browsed(settings_of(database_url, tmp_path)) as client:
        yield Floor(WalkIn(client), database_url)


def sold(floor: Floor, days_ago: int, number: int = 1) -> None:
    """One stamp of an order of stamps, only in the books."""
    with psycopg.connect(floor.url) as owner:
        owner.execute(
            "WITH made AS (INSERT INTO entries (account_id, entry_id, reason, subject, posted_at)"
            " VALUES (gen_random_uuid(), %s, 'stamps_issued', gen_random_uuid(),"
            " now() - make_interval(days => %s)) RETURNING account_id, entry_id)"
            " INSERT INTO legs SELECT account_id, entry_id, book, unit_of(book),"
            " greatest(-amount, 0), greatest(amount, 0) FROM made,"
            " unnest(ARRAY['stamps_issued', 'stamps_available', 'buyer_funds', 'duty_payable'],"
            " ARRAY[-1, 1, -10000, 10000]) AS leg (book, amount)",
            [f"issued:{number}", days_ago],
        )


def make_all(floor: Floor) -> None:
    service = floor.walk_in.container.of(StatementService)
    with floor.walk_in.client.portal() as portal:
        while portal.call(service.make_due):
            pass


def test_overview_links_every_page_of_the_supervisor(floor: Floor) -> None:
    floor.seat("regulator")
    shown = floor.walk_in.get("/console/regulator")
    for path in (HERE, f"{HERE}/serial", "/regulator/key.pem", "/console/numbers"):
        assert f'href="{path}"' in shown
        assert floor.get(path).status_code == 200, path
    assert 'href="/console/regulator"' in floor.walk_in.get("/console")


def test_statement_of_unfinished_month_is_marked_everywhere(floor: Floor) -> None:
    floor.seat("regulator")
    sold(floor, 0)
    month = Month.of(day_of(datetime.now(UTC)))
    assert translate("page.statements.running", "en") in floor.walk_in.get(HERE)
    assert "INCOMPLETE" in floor.walk_in.get(f"{HERE}/{month}")
    for file in ("workbook.xlsx", "statement.csv", "books.csv", "facts.csv", "days.csv"):
        given = floor.get(f"{HERE}/{month}/{file}")
        assert given.status_code == 200, file
        assert "incomplete" in given.headers["content-disposition"]
    assert "INCOMPLETE" in floor.get(f"{HERE}/{month}/statement.csv").text


def test_extract_is_downloaded_with_its_manifest(floor: Floor) -> None:
    floor.seat("regulator")
    sold(floor, 2, 1)
    make_all(floor)
    day = day_of(datetime.now(UTC) - timedelta(days=2))
    assert f"{HERE}/extracts/{day}/facts.jsonl.gz" in floor.walk_in.get(f"{HERE}/{Month.of(day)}")
    given = floor.get(f"{HERE}/extracts/{day}/facts.jsonl.gz")
    assert given.headers["content-type"] == "application/gzip"
    [row] = gzip.decompress(given.content).splitlines()
    assert json.loads(row)["rupiah"] == {"buyer_funds": -10_000, "duty_payable": 10_000}
    manifest = floor.get(f"{HERE}/extracts/{day}/manifest.json").json()
    assert set(manifest) == {"payload", "protected", "signature"}


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/2024-01",
            "/2026-13",
            "/nothing",
            "/9999-12",
            "/2026-11/nothing.csv",
            "/2026-11/days.txt",
        ),
        *("/extracts/2020-01-01/manifest.json", "/extracts/2020-01-01/facts.jsonl.gz"),
        *(f"/serial/{NONE}", f"/serial/{NONE}/evidence.zip", "/serial/xyz"),
    ],
)
def test_page_of_unknown_thing_is_not_found(floor: Floor, path: str) -> None:
    floor.seat("regulator")
    assert floor.get(f"{HERE}{path}").status_code == 404


def test_statements_are_visible_to_finance_and_supervisor_only(floor: Floor) -> None:
    for role, status in (("support", 403), ("operations", 403), ("finance", 200)):
        floor.seat(role)
        for path in ("/console/regulator", HERE, f"{HERE}/serial"):
            assert floor.get(path).status_code == status, (role, path)
        assert ('href="/console/regulator"' in floor.walk_in.get("/console")) == (status == 200)
