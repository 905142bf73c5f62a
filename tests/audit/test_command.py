"""`meterai audit` of a running instance, and the bank's record compared with ours."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from meterai.audit.history import BEGINNING
from meterai.kit.ids import read
from meterai.payments import PaymentService, Rails
from meterai.payments.news_check import NewsComparison
from meterai.plumbing.db.database import Database, Row, Tx
from meterai.plumbing.db.marks import Mark
from meterai.reconciliation import check_bank
from meterai.reconciliation.sides import FRESH
from meterai.room import Container
from tests.audit.conftest import Spoilt
from tests.support.inside import Inside
from tests.support.instance import Instance, until
from tests.support.money import bought
from tests.support.pdf import pdf


@pytest.fixture(scope="module")
def inside(instance: Instance) -> Inside:
    """The shared instance with an account that bought stamps, used one, and returned the rest."""
    inside = Inside(instance)
    customer, order = bought(inside, 3)
    assert customer.stamp(pdf(words="audit")).status == 201
    assert customer.ask_back(order["id"]).status == 201
    settled = "SELECT payment, refund_no FROM refunds WHERE state = 'settled' AND order_id = %s"
    [row] = until("it is back", lambda: inside.rows(settled, read("ord", order["id"])))
    inside.payment, inside.refund = row["payment"], row["refund_no"]  # type: ignore[attr-defined]
    # Payments of other test files may still be under way.
    until("both records agree", lambda: not bank_says(inside))
    return inside


def test_audit_command_reports_and_records(inside: Inside) -> None:
    done = inside.instance.command("audit", "--json", "--seals", "all")
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    assert told["holds"]
    assert told["kind"] == "full"
    again = json.loads(inside.instance.command("audit", "--incremental", "--json").stdout)
    assert again["holds"]
    done = inside.instance.command("audit")
    assert done.stdout.splitlines()[-1] == "every invariant holds"


async def _rails(container: Container) -> Rails:
    return container.of(Rails)


def news_says(inside: Inside, spoilt: str = "", *, is_young: bool = False) -> set[str]:
    """Disagreements of the bank's notifications with our rows.

    With `is_young`, only rows since a mark before the corruption are compared.
    """
    with inside.connect() as connection:
        database = Spoilt(connection)
        rails = inside.ask(_rails)
        mark = inside.ask(lambda container: Mark.of_now(container.database))
        if spoilt:
            database.plant(spoilt, {})
        since = mark if is_young else None
        everything = NewsComparison(cast(Database, database), rails, since, BEGINNING)
        found = inside.ask(lambda container: everything.check())
        young = NewsComparison(cast(Database, database), rails, mark, BEGINNING)
        assert spoilt or inside.ask(lambda container: young.check()).holds
        connection.rollback()
    return {row["is"] for row in found.evidence}


def test_notifications_of_the_bank_agree_with_the_books(inside: Inside) -> None:
    assert news_says(inside) == set()


def test_payment_rewritten_since_a_mark_has_its_older_notification(inside: Inside) -> None:
    payment = inside.payment  # type: ignore[attr-defined]
    assert inside.rows("SELECT 1 FROM captures WHERE learned_by = 'notification'")
    assert (
        news_says(
            inside,
            f"UPDATE captures SET confirmed_at = now() WHERE payment = '{payment}'",
            is_young=True,
        )
        == set()
    )


def test_notification_of_a_missing_payment_is_found(inside: Inside) -> None:
    payment = inside.payment  # type: ignore[attr-defined]
    assert news_says(inside, f"DELETE FROM captures WHERE payment = '{payment}'") == {
        "not in our books"
    }
    smaller = f"UPDATE captures SET amount = amount - 1 WHERE payment = '{payment}'"
    assert news_says(inside, smaller) == {"not in our books"}


def test_payment_without_a_notification_is_found(inside: Inside) -> None:
    payment = inside.payment  # type: ignore[attr-defined]
    forgotten = (
        "UPDATE captures SET learned_by = 'notification' WHERE payment = '{0}';"
        " DELETE FROM notification_inbox WHERE position('{0}' IN convert_from(body, 'UTF8')) > 0"
    )
    assert news_says(inside, forgotten.format(payment)) == {"told by nobody"}


class Planted(Database):
    """A database whose transactions begin with a corruption that is rolled back, so that no worker repairs it."""

    spoilt = ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        async with super().transaction() as tx:
            if self.spoilt:
                await tx.run("SET LOCAL ROLE NONE")
                await tx.run("SET LOCAL session_replication_role = replica")
                assert await tx.run(self.spoilt)
                await tx.run("SET LOCAL session_replication_role = origin")
            yield tx


def bank_says(inside: Inside, spoilt: str = "") -> set[tuple[str, str, int]]:
    """Return (kind, number, difference) of each disagreement."""

    async def look(container: Container) -> list[Row]:
        database = Planted(inside.instance.settings.process.database_url, connections=1)
        database.spoilt = spoilt
        await database.open()
        try:
            now = datetime.now(UTC) + 2 * FRESH
            payments = container.of(PaymentService)
            return (await check_bank(database, payments, now - timedelta(hours=1), now)).evidence
        finally:
            await database.close()

    return {(row["is"], row["number"], row["difference"]) for row in inside.ask(look)}


def test_record_of_the_bank_agrees_with_the_books(inside: Inside) -> None:
    assert bank_says(inside) == set()


def test_payment_unknown_to_the_bank_is_found(inside: Inside) -> None:
    payment = inside.payment  # type: ignore[attr-defined]
    found = bank_says(
        inside, f"UPDATE captures SET payment = 'INVENTED' WHERE payment = '{payment}'"
    )
    kinds = {(kind, number) for kind, number, _ in found}
    assert {("payment_not_in_record", "INVENTED"), ("payment_not_in_books", payment)} <= kinds
