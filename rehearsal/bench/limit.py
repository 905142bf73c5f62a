"""Limit of placing orders: the SQL statement of the web, run by pgbench on the same server."""

import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import psycopg

from meterai.kit.ids import new_id
from meterai.orders import OrderSettings, store
from meterai.orders.model import OrderKind, request_hash
from meterai.payments import Rails
from meterai.payments.room import RAILS
from meterai.plumbing.config import Settings
from meterai.plumbing.db.embedded import programs

_TPS = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")
_COUNT = re.compile(r"number of transactions actually processed: (\d+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")

# All fresh values derive from one number, which pgbench counts itself: as in the web, later ids sort after earlier ones and
# the server makes no random numbers (they cost a tenth of the statement). Without the order itself, this takes the server
# about 8 µs.
_ID = "(lpad(to_hex(:number::bigint), 16, '0') || lpad(to_hex(:client_id::bigint), 16, '0'))::uuid"
_VALUES = (
    "lpad(to_hex(:account::bigint), 32, '0')::uuid",
    _ID,
    "'5f1c9a52-7b0e-4b8e-' || :number || '-' || :client_id",
    *(":request", ":kind", ":quantity", ":price", ":fee", ":lapses", ":due"),
    _ID,
    "'MTR' || lpad(:number::text, 40, '0') || lpad(:client_id::text, 12, '0')",
    *(":lease", ":unpaid", ":provider", ":method"),
)


def script(accounts: int) -> str:
    """Return the SQL statement `store.PLACE` as a pgbench script; each order is for one of `accounts` accounts."""
    statement = " ".join(store.PLACE.split())
    for value in _VALUES:
        statement = statement.replace("%s", value, 1)
    assert "%s" not in statement, "order_place_by_method takes more than is given"
    chosen = f"\\set account random(1, {accounts})\n\\set number :number + 1\n"
    return f"{chosen}{statement};\n"


def bound(settings: Settings, quantity: int) -> dict[str, str]:
    """Return the values of the script's parameters that are the same for all orders."""
    rails = Rails(settings, RAILS)
    channel, _ = rails.channel(None, settings.of(OrderSettings).stamp_price, new_id())
    return {
        "request": "\\x" + request_hash(OrderKind.STAMPS, quantity).hex(),
        "kind": OrderKind.STAMPS.value,
        "quantity": str(quantity),
        "price": str(settings.of(OrderSettings).stamp_price),
        "fee": str(settings.of(OrderSettings).service_fee),
        "lapses": str(settings.of(OrderSettings).order_lapses_seconds),
        "due": str(settings.of(OrderSettings).stamps_due_seconds),
        "lease": "0",
        "unpaid": str(settings.of(OrderSettings).unpaid_orders_max),
        "provider": channel.provider,
        "method": channel.method,
    }


# The script's rows belong to accounts that do not exist.
_MADE = "account_id < lpad(to_hex(%s::bigint), 32, '0')::uuid"


class Pgbench:
    """Runs the script against one database."""

    def __init__(
        self, database_url: str, text: str, values: Mapping[str, str], connections: int
    ) -> None:
        self._url = database_url
        self._text = text
        self._values = values
        self._connections = connections

    def forget(self, accounts: int) -> None:
        """Delete the script's rows, which an audit would report as orders without an account."""
        with psycopg.connect(self._url) as connection:
            for table in ("payment_attempts", "orders"):
                connection.execute(
                    f"DELETE FROM {table} WHERE {_MADE}",
                    [accounts + 1],
                )

    def run(self, seconds: int) -> tuple[int, float, int]:
        """Return the number of transactions, transactions per second, and the number of failures."""
        found = urlsplit(self._url)
        host = parse_qs(found.query)["host"][0] if found.query else found.hostname
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(self._text)
            file.flush()
            command = [str(programs() / "pgbench"), "-n", "-M", "prepared", "-T", str(seconds)]
            command += ["-c", str(self._connections), "-j", "1", "-f", file.name]
            # Microseconds: no run makes a million orders a second, so every number is unique.
            values = {**self._values, "number": str(time.time_ns() // 1000)}
            for name, value in values.items():
                command += ["-D", f"{name}={value}"]
            command += ["-h", str(host), "-U", found.username or "postgres", found.path[1:]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        counted, rate = _COUNT.search(done.stdout), _TPS.search(done.stdout)
        failed = _FAILED.search(done.stdout)
        if done.returncode or counted is None or rate is None or failed is None:
            raise RuntimeError(f"pgbench: {done.stderr}\n{done.stdout}")
        return int(counted[1]), float(rate[1]), int(failed[1])
