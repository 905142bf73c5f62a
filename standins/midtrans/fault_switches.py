"""The faults of Midtrans, set with POST /standin/faults; a count of -1 means all occasions."""

import logging
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from sqlite3 import Connection

from standins.faults import Faults, FaultSwitch, Kind

log = logging.getLogger(__name__)

_COUNTS = {
    "charge_500": "The next charges are not made, and the answer is 500",
    "charge_lost": "The next charges are made, but not answered",
    "status_500": "The next status queries are answered with 500",
    "cancel_500": "The next cancels and expiries are not made, and the answer is 500",
    "refund_500": "The next refunds are not made, and the answer is 500",
    "refund_lost": "The next refunds are made, but not answered",
    "refuse_refunds": "The next new refunds are refused (418)",
    "refund_denied": "The next new refunds are denied by the bank (202)",
    "drop_notifications": "The next notifications are never sent",
    "double_notifications": "The next notifications are sent twice at once",
    "reorder_notifications": "The next notifications are sent after later ones",
    "forge_notifications": (
        "A notification of settlement signed with another key is sent before each of the next"
    ),
    "replay_notifications": (
        "The signature of each of the next is sent again afterwards with another status"
    ),
    "news_differs": (
        "The next notifications have a valid signature and another status than the record"
    ),
    "record_differs": "The next answers to status queries have another status than the record",
    "other_order": "The next answers and notifications name another order",
    "other_merchant": "The next answers and notifications name another merchant",
    "other_amount": "The next answers and notifications name another amount",
    "other_currency": "The next answers and notifications name another currency",
}
FAULT_SWITCHES = {
    "seed": FaultSwitch(Kind.COUNT, "Seed of random faults of all counted kinds; 0: none"),
    "seed_percent": FaultSwitch(
        Kind.COUNT, "Percentage of occasions at which the seed causes a fault"
    ),
    **{name: FaultSwitch(Kind.COUNT, meaning) for name, meaning in _COUNTS.items()},
    "response_delay_seconds": FaultSwitch(
        Kind.SECONDS, "Every answer is delayed by this many seconds"
    ),
    "notification_delay_seconds": FaultSwitch(
        Kind.SECONDS, "Every notification is delayed by this many seconds"
    ),
    "deny_after_settlement_seconds": FaultSwitch(
        Kind.SECONDS_OR_NEVER, "Seconds after its settlement at which every payment is denied"
    ),
}


# No chance: only the settlement file reveals a wrong record, so a test sets it explicitly.
NOT_DRAWN = ("record_differs",)


class SeededFaults(Faults):
    """Fault switches that also fail at random if a seed is set; the same seed gives the same faults."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, FAULT_SWITCHES)
        self._occasions: Counter[str] = Counter()

    def apply(self, wanted: Mapping[str, object]) -> None:
        """Set switches like `Faults.apply`. A seed restarts the sequence of random faults, and is logged."""
        super().apply(wanted)
        if "seed" in wanted:
            self._occasions.clear()
            log.warning("faults by seed %s", wanted["seed"])

    def take(self, name: str) -> bool:
        """Count an occasion of a switch. Return True if it must fail."""
        if super().take(name):
            return True
        values = self.values()
        if not values["seed"] or name in NOT_DRAWN:
            return False
        self._occasions[name] += 1
        drawn = sha256(f"{values['seed']}:{name}:{self._occasions[name]}".encode()).digest()
        return int.from_bytes(drawn[:4]) % 100 < int(values["seed_percent"] or 0)
