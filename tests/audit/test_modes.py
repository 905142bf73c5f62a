"""Full and incremental audits, the chain between them, and opened documents."""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from meterai.audit import scopes as audit_scopes
from meterai.audit.auditor import Auditor
from meterai.audit.points import points
from meterai.audit.seals import DeltaReader, DeltaSample, check_objects
from meterai.kit.clock import SystemClock
from meterai.plumbing.db.database import Database
from meterai.plumbing.db.invariants import Accounts, InvariantFinding, RowScope, Touched, check
from meterai.plumbing.objects import ObjectStore, Stored
from meterai.sealing import Issuers
from tests.audit.conftest import Spoilt
from tests.support.audits import AUDITED, INVARIANTS, REGISTERED
from tests.support.corrupting import Corruption, corruptions
from tests.support.history import History, make
from tests.support.shop import open_shop

ALL = frozenset(one.name for one in INVARIANTS)
AT_ONCE = timedelta(0)  # no other process writes here


@pytest.fixture
def fresh(database_url: str, tmp_path: Path) -> Iterator[History]:
    """A history of its own, whose corruptions are committed."""
    with open_shop(database_url, tmp_path) as shop:
        yield make(shop)


def audited(history: History, *, is_incremental: bool = False) -> dict[str, InvariantFinding]:
    """Audit, and return the broken findings; without findings the audit is recorded."""
    shop = history.shop
    auditor = Auditor(shop.container.database, REGISTERED, settled_after=AT_ONCE)
    findings, coverage = shop.do(auditor.run(is_incremental=is_incremental))
    broken = {one.invariant.name: one for one in findings if not one.holds}
    if not broken:
        assert shop.do(auditor.record(coverage)) is not None
    return broken


def spoil(history: History, sql: str) -> None:
    """Corrupt rows as the owner of the tables, and commit."""
    with psycopg.connect(history.shop.container.database.url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql.encode(), history.names, prepare=False) if "%(" in sql else (
            connection.execute(sql.encode())
        )


def test_clean_audits_are_a_chain(fresh: History) -> None:
    assert audited(fresh) == {}
    fresh.quota("later", 2)
    assert audited(fresh, is_incremental=True) == {}
    fresh.quota("last", 1)
    assert audited(fresh) == {}
    known = fresh.shop.do(points(fresh.shop.container.database))
    assert [point.kind for point in known] == ["full", "incremental", "full"]
    assert len({point.history for point in known}) == 3


def test_incremental_audit_finds_new_rows(fresh: History) -> None:
    assert audited(fresh) == {}
    fresh.quota("later", 2)
    spoil(fresh, "UPDATE stamp_lots SET returned = 1 WHERE lot_id = %(later.order)s")
    assert "returned_stamps_are_explained" in audited(fresh, is_incremental=True)


def test_incremental_audit_finds_changed_old_rows(fresh: History) -> None:
    """The time in a row does not matter: a row written since the mark is checked."""
    assert audited(fresh) == {}
    spoil(fresh, "UPDATE stamp_lots SET returned = 1 WHERE lot_id = %(batches.order)s")
    broken = audited(fresh, is_incremental=True)
    assert "returned_stamps_are_explained" in broken
    assert "history_is_as_it_was_audited" not in broken, "what may change is no fact"


def test_incremental_audit_finds_rows_planted_with_an_old_time(fresh: History) -> None:
    assert audited(fresh) == {}
    spoil(
        fresh,
        "INSERT INTO api_keys (account_id, key_id, secret_hash, name, created_at)"
        " SELECT account_id, gen_random_uuid(), sha256('x'), 'x', created_at FROM accounts"
        " WHERE account_id = %(account)s",
    )
    assert "session_and_key_are_in_the_trail" in audited(fresh, is_incremental=True)


FORGOTTEN = """
DELETE FROM legs WHERE entry_id IN (SELECT entry_id FROM entries
    WHERE subject = '{order}');
DELETE FROM entries WHERE subject = '{order}';
DELETE FROM captures WHERE attempt_id = '{attempt}';
DELETE FROM payment_attempts WHERE subject = '{order}';
DELETE FROM mails WHERE cause_key = 'order_executed:{order}';
DELETE FROM stamp_lots WHERE lot_id = '{order}';
DELETE FROM orders WHERE order_id = '{order}';
UPDATE balances SET posted = posted - 2 WHERE book = 'stamps_available' AND account_id = '{account}'
"""


def test_order_erased_from_all_tables_is_found(fresh: History) -> None:
    fresh.quota("forgotten", 2)
    assert audited(fresh) == {}
    spoil(
        fresh,
        FORGOTTEN.format(
            order=fresh["forgotten.order"],
            attempt=fresh["forgotten.attempt"],
            account=fresh["account"],
        ),
    )
    assert set(audited(fresh, is_incremental=True)) == {"history_is_as_it_was_audited"}
    told = audited(fresh)["history_is_as_it_was_audited"].evidence
    assert set(audited(fresh)) == {"history_is_as_it_was_audited"}
    assert {"another history"} == {row["is"] for row in told}
    assert {"orders", "entries", "captures"} <= {row["fact"] for row in told}


def test_changed_point_is_found(fresh: History) -> None:
    assert audited(fresh) == {}
    fresh.quota("later", 1)
    assert audited(fresh) == {}
    spoil(
        fresh,
        "UPDATE audit_points SET covers_until = covers_until - interval '1 second' WHERE point = 1",
    )
    assert set(audited(fresh, is_incremental=True)) == {"history_is_as_it_was_audited"}


# -- scopes ------------------------------------------------------------------------------------


def scopes_of(history: History, spoilt: Spoilt) -> list[list[RowScope]]:
    """Scopes of the same rows, by ranges of accounts and by touched subjects (here all of them)."""
    # A mark so old that every row is younger.
    query = audit_scopes.query_of_touched(AUDITED)
    rows = spoilt.connection.execute(query.encode(), ["3"] * query.count("%s"))
    touched = [(row["account_id"], row["subject"]) for row in rows.fetchall()]
    # A seller and its buyers, an organization and its owners are in different ranges.
    cuts = [None, history["other"], history["taken.buyer"], None]
    about = AUDITED.subjects
    return [
        [Accounts(about, low, high) for low, high in pairwise(cuts)],
        [Touched.of(about, touched)],
    ]


async def broken_in(
    spoilt: Spoilt, scopes: list[RowScope], names: Collection[str] = ALL
) -> set[str]:
    asked = [one for one in INVARIANTS if one.name in names]
    found = [await check(cast(Database, spoilt), one, each) for one in asked for each in scopes]
    return {one.invariant.name for one in found if not one.holds}


def test_honest_history_holds_in_every_scope(history: History, spoilt: Spoilt) -> None:
    for scopes in scopes_of(history, spoilt):
        assert history.shop.do(broken_in(spoilt, scopes)) == set()


@pytest.mark.sample(20)
@pytest.mark.parametrize("corruption", corruptions()[::6], ids=lambda one: one.name)
def test_corruption_is_found_in_every_scope(
    history: History, spoilt: Spoilt, corruption: Corruption
) -> None:
    spoilt.plant(corruption.sql, history.names)
    seen_by = corruption.seen_by
    for scopes in scopes_of(history, spoilt):
        assert seen_by - history.shop.do(broken_in(spoilt, scopes, seen_by)) == set()


# -- documents ---------------------------------------------------------------------------------


def opened(history: History, spoilt: Spoilt, *, is_kept: bool = True) -> list[Any]:
    container = history.shop.container
    key = container.keyring.derived("objects") if is_kept else bytes(32)
    papers = DeltaReader(
        ObjectStore(container.settings.process.directory, key),
        container.of(Issuers),
        SystemClock(),
    )
    if not is_kept:
        spoilt.connection.execute("UPDATE documents SET forgotten_at = now()")
    finding = history.shop.do(papers.check(cast(Database, spoilt), DeltaSample(1, None)))
    return [row["is"] for row in finding.evidence]


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "forgotten"])
def test_honest_seals_have_no_findings(history: History, spoilt: Spoilt, is_kept: bool) -> None:
    assert opened(history, spoilt, is_kept=is_kept) == []


SEALED = {
    "another serial": "UPDATE stamps SET serial = '1QRM373NZZ00432PG47PMR' WHERE stamping_id ="
    " %(one.stamping)s",
    "another original": "UPDATE stampings SET sha256_original = (SELECT sha256_original FROM"
    " stampings WHERE stamping_id = %(two.stamping)s) WHERE stamping_id = %(one.stamping)s",
    "the delta of another": "UPDATE deltas SET delta = (SELECT delta FROM deltas WHERE stamping_id"
    " = %(two.stamping)s) WHERE stamping_id = %(one.stamping)s",
    # Any change will do: deltas differ from run to run.
    "another byte": "UPDATE deltas SET delta = set_byte(delta, length(delta) / 2,"
    " 255 - get_byte(delta, length(delta) / 2)) WHERE stamping_id = %(one.stamping)s;"
    " UPDATE deltas SET sha256 = sha256(delta) WHERE stamping_id = %(one.stamping)s",
}


@pytest.mark.parametrize("what", SEALED)
def test_changed_seal_is_found(history: History, spoilt: Spoilt, what: str) -> None:
    spoilt.plant(SEALED[what], history.names)
    assert opened(history, spoilt) != []


@pytest.mark.parametrize("what", [what for what in SEALED if what != "another byte"])
def test_changed_claim_is_found(history: History, spoilt: Spoilt, what: str) -> None:
    spoilt.plant(SEALED[what], history.names)
    assert opened(history, spoilt, is_kept=False) != []


def test_objects_are_those_of_documents(history: History, spoilt: Spoilt) -> None:
    container, database = history.shop.container, cast(Database, spoilt)
    directory = container.settings.process.directory
    objects = ObjectStore(directory, container.keyring.derived("objects"))
    later = datetime.now(UTC) + timedelta(days=1)

    def wrong(written_before: datetime = later) -> list[dict[str, Any]]:
        return history.shop.do(check_objects(database, objects, written_before)).evidence

    assert wrong() == []
    objects.put_from_thread("00ff", b"left behind")
    try:
        assert wrong() == [{"object": "00ff", "is": "of no document"}]
        assert wrong(later - timedelta(days=2)) == [], "it is young"
    finally:
        (directory / "objects" / "00" / "00ff").unlink()
    [one] = history.shop.rows(
        "SELECT encode(sha256_original, 'hex') AS name FROM stampings WHERE stamping_id = %s",
        history["one.stamping"],
    )
    [path] = directory.glob(f"objects/*/{one['name']}")
    [drafted] = history.shop.rows(
        "SELECT encode(sha256, 'hex') AS name FROM draft_files WHERE state = 'ready' LIMIT 1"
    )
    [part] = directory.glob(f"objects/*/{drafted['name']}")
    for gone in (path, part):
        content = gone.read_bytes()
        gone.unlink()
        try:
            assert [row["is"] for row in wrong()] == ["missing"]
        finally:
            gone.write_bytes(content)


class _ChangesWhileListed(ObjectStore):
    """A store whose objects change once, right after they are listed first."""

    happens: Callable[[], object] | None = None

    async def list(self, after: str, limit: int) -> list[Stored]:
        found = await super().list(after, limit)
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return found


def test_objects_changed_during_the_audit_are_no_findings(history: History, spoilt: Spoilt) -> None:
    container, database = history.shop.container, cast(Database, spoilt)
    directory = container.settings.process.directory
    objects = _ChangesWhileListed(directory, container.keyring.derived("objects"))
    later = datetime.now(UTC) + timedelta(days=1)
    [one] = history.shop.rows(
        "SELECT encode(sha256_original, 'hex') AS name FROM stampings WHERE stamping_id = %s",
        history["one.stamping"],
    )
    [received] = directory.glob(f"objects/*/{one['name']}")
    content = received.read_bytes()
    received.unlink()
    objects.happens = lambda: received.write_bytes(content)
    try:
        assert history.shop.do(check_objects(database, objects, later)).holds
    finally:
        received.write_bytes(content)
    objects.put_from_thread("00ff", b"forgotten in a moment")
    forgotten = directory / "objects" / "00" / "00ff"
    objects.happens = forgotten.unlink
    assert history.shop.do(check_objects(database, objects, later)).holds
