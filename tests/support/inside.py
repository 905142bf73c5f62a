"""Access to the inside of a running instance: books, services and locks that no API shows."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import urllib3
from psycopg.rows import dict_row

from meterai import stamps
from meterai.accounts import AccountService
from meterai.accounts.model import KEY_PREFIX, Credential
from meterai.apps.container import build_services
from meterai.kit.ids import read
from meterai.payments import refund_lease_seconds
from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.room import Container
from meterai.stamping import StampingService, Upload
from meterai.stamping.model import read_placements
from standins.bank import merchant_client, webhooks
from tests.support.audits import audit
from tests.support.instance import Client, Instance, until
from tests.support.shop import TESTER
from tests.support.standing import standing

Answer = TypeVar("Answer")
# The longest time without progress in a healthy instance: until the bank repeats the notification of a payment,
# or until another process may send the refund of a process that died. Pauses after a failed try double; they
# are as long only after an outage of that length.
PAUSE_SECONDS_MAX = max(
    webhooks.WAIT_SECONDS_MAX + merchant_client.ANSWER_SECONDS_MAX,
    refund_lease_seconds(SnapSettings().bank_timeout_seconds),
)
STILL_SECONDS_MAX = 2 * PAUSE_SECONDS_MAX
# Each booking changes the first count; each try changes one of the others.
_UNDER_WAY = """
SELECT 'entries' AS what, NULL AS id, NULL AS state, count(*) AS tries FROM entries UNION ALL
SELECT 'job', job_id, handler, tries FROM jobs UNION ALL
SELECT 'attempt', attempt_id, state, tries FROM payment_attempts WHERE state = 'opening' UNION ALL
SELECT 'stamping', stamping_id, state, 0 FROM stampings WHERE state = 'reserved' UNION ALL
SELECT 'refund', refund_id, state, tries FROM refunds WHERE state NOT IN ('settled', 'void')
ORDER BY what, id
"""
PLACEMENT = '{"page": 1, "x": 60, "y": 60, "width": 80}'


class Inside:
    """Access of a test to the inside of an instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def ask(self, act: Callable[[Container], Awaitable[Answer]]) -> Answer:
        """Run `act` with the services of the instance, in a container of the test."""

        async def run() -> Answer:
            async with build_services(self.instance.settings) as container:
                return await act(container)

        return asyncio.run(run())

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """A connection to the database. The caller commits."""
        return psycopg.connect(self.instance.settings.process.database_url, row_factory=dict_row)

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a query."""
        with self.connect() as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    # -- accounts ---------------------------------------------------------------------------

    def customer(self) -> Client:
        """A new account with an API key, made faster than by the command line."""

        async def make(container: Container) -> str:
            account = await container.of(AccountService).create(
                f"{uuid.uuid4().hex[:12]}@example.org", actor=TESTER
            )
            return await container.of(AccountService).create_api_key(account, "test", actor=TESTER)

        return Client(self.instance.url, self.ask(make))

    # -- money ------------------------------------------------------------------------------

    def books(self) -> dict[str, int]:
        """The balance of every book of the whole instance, credits positive."""
        found = self.rows("SELECT book, sum(credit - debit)::bigint AS sum FROM legs GROUP BY book")
        return {row["book"]: row["sum"] for row in found}

    def money_is_at_rest(self) -> bool:
        """Return True if the bank and the books agree, and no money waits to be executed or refunded.

        A payment that was charged back before we knew it is in no book.
        """
        try:
            bank, books = self.instance.bank.totals(), self.books()
        except urllib3.exceptions.HTTPError:
            return False  # the bank is being restarted
        left = bank["received"] - bank["refunded"] - bank["denied"]
        waiting = books.get("buyer_funds", 0), books.get("refunds_payable", 0)
        return left == -books.get("bank_clearing", 0) and waiting == (0, 0)

    def standing(self) -> str:
        """Report of the rows that still wait or do not agree, for the message of a failed test."""
        return standing(self.rows, self.instance.data)

    def assert_money_is_accounted_for(self) -> None:
        """Check the money of the instance and every invariant.

        The money kept by the bank must equal our duty, our fee and the deposits of distributors. If the payer's
        bank took back the money of a used stamp, its duty is our loss.
        """
        bank, books = self.instance.bank.totals(), self.books()
        kept = sum(books.get(one, 0) for one in ("duty_payable", "service_fee", "deposits"))
        assert bank["received"] - bank["refunded"] - bank["denied"] == (
            kept + books.get("denied_loss", 0)
        ), self.standing()
        assert books.get("buyer_funds", 0) == books.get("refunds_payable", 0) == 0, self.standing()
        self.assert_audit_holds()

    def assert_audit_holds(self) -> None:
        """Check every invariant now, as `meterai audit` does, but in this process."""
        found = self.ask(lambda container: audit(container.database))
        broken = [one for one in found.findings if not one.holds]
        assert not broken, broken

    # -- time -------------------------------------------------------------------------------

    def until(self, what: str, check: Callable[[], Any]) -> Any:
        """Wait until `check` returns a true value, and return it.

        The wait has no limit while work proceeds. It fails if nothing changes for `STILL_SECONDS_MAX`.
        """
        under_way, since = self.rows(_UNDER_WAY), time.monotonic()
        while not (found := check()):
            if (now := self.rows(_UNDER_WAY)) != under_way:
                under_way, since = now, time.monotonic()
            is_still = time.monotonic() - since > STILL_SECONDS_MAX
            assert not is_still, f"nothing moves: {what}; under way: {under_way}\n{self.standing()}"
            time.sleep(0.2)  # `_UNDER_WAY` opens a new connection each time
        return found

    def let_leases_run_out(self) -> None:
        """End the leases of killed processes."""
        with self.connect() as connection:
            connection.execute("UPDATE jobs SET run_at = now() WHERE run_at > now()")
            connection.execute(
                "UPDATE payment_attempts SET leased_until = now() WHERE state = 'opening'"
            )
            connection.execute(
                "UPDATE refunds SET try_at = now(), leased_until = NULL WHERE state <> 'settled'"
            )
            connection.execute("UPDATE webhook_messages SET try_at = now() WHERE state = 'waiting'")

    # -- issuing ----------------------------------------------------------------------------

    def set_issuing(self, *, is_open: bool) -> None:
        """Open or stop issuing as `meterai issuing` does, but in this process."""

        async def change(container: Container) -> None:
            async with container.database.transaction() as tx:
                await stamps.set_issuing(tx, is_open=is_open, reason="a test", actor=TESTER)

        self.ask(change)

    # -- orders of documents ----------------------------------------------------------------

    def order_documents(self, customer: Client, *documents: bytes) -> Any:
        """Order the stamps of named documents, as the web form does, and return the order."""
        account = self.account_of(customer)
        uploads = [
            Upload(f"surat-{number}.pdf", document, read_placements(PLACEMENT))
            for number, document in enumerate(documents, start=1)
        ]
        key = str(uuid.uuid4())
        placed = self.ask(
            lambda container: container.of(StampingService).order(account, key, uploads)
        )
        return customer.order(placed.id)

    @staticmethod
    def account_of(customer: Client) -> uuid.UUID:
        """The account of the client's key."""
        assert customer.key is not None
        return Credential.read(customer.key, KEY_PREFIX).account

    def stampings_of(self, order: str) -> list[dict[str, Any]]:
        """State and refusal of each document of an order."""
        return self.rows(
            "SELECT stamping_id, state, refused, sha256_original FROM stampings"
            " WHERE order_id = %s ORDER BY position",
            read("ord", order),
        )

    # -- pauses -----------------------------------------------------------------------------

    @contextmanager
    def paused_at(self, query: str, *parameters: object) -> Iterator["Pause"]:
        """Hold the locks that a statement takes. A process that needs them waits there."""
        with self.connect() as connection:
            connection.execute(query.encode(), parameters or None)
            yield Pause(self, connection)


class Pause:
    """Locks that a test holds."""

    def __init__(self, inside: Inside, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self._inside = inside
        self._connection = connection
        self._holder = connection.info.backend_pid

    def wait_for_somebody(self, what: str) -> None:
        """Wait until a process waits for the lock in a statement that contains `what`."""

        def is_blocked() -> bool:
            return bool(
                self._inside.rows(
                    "SELECT 1 FROM pg_stat_activity"
                    " WHERE %s = ANY (pg_blocking_pids(pid)) AND strpos(query, %s) > 0",
                    self._holder,
                    what,
                )
            )

        until(f"somebody waits for the lock at {what!r}", is_blocked)

    def take(self, query: str) -> None:
        """Take other locks, or the same ones again."""
        self._connection.execute(query.encode())

    def release(self) -> None:
        """Release the locks."""
        self._connection.rollback()
