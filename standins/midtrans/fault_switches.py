"""The faults of Midtrans, set with POST /standin/faults; a count of -1 means all occasions."""

import logging
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from sqlite3 import Connection

from standins.faults import Faults, FaultSwitch, Kind

log = logging.getLogger(__name__)

_COUNTS = {
    "charge_500": "Next charges are not made, the answer is 500",
    "charge_lost": "Next charges are made, and nothing is answered",
    "status_500": "Next questions are answered with 500",
    "cancel_500": "Next cancels and ends are not made, the answer is 500",
    "refund_500": "Next refunds are not made, the answer is 500",
    "refund_lost": "Next refunds are made, and nothing is answered",
    "refuse_refunds": "Next new refunds are refused (418)",
    "refund_denied": "Next new refunds are denied by the bank (202)",
    "drop_notifications": "Next notifications are never sent",
    "double_notifications": "Next notifications are sent twice at once",
    "reorder_notifications": "Next notifications are sent after those that follow",
    "forge_notifications": "Before the next goes one that says it is settled, signed with another key",
    "replay_notifications": "After the next goes its signature again, with another status",
    "news_differs": "Next notifications say, well signed, another status than the record",
    "record_differs": "Next answers to a question say another status than the record",
    "other_order": "Next answers and notifications name another order",
    "other_merchant": "Next answers and notifications name another merchant",
    "other_amount": "Next answers and notifications name another amount",
    "other_currency": "Next answers and notifications name another currency",
}
FAULT_SWITCHES = {
    "seed": FaultSwitch(Kind.COUNT, "Seed by which what is counted also fails by chance; 0: none"),
    "seed_percent": FaultSwitch(Kind.COUNT, "Of a hundred occasions so many, by the seed"),
    **{name: FaultSwitch(Kind.COUNT, meaning) for name, meaning in _COUNTS.items()},
    "response_delay_seconds": FaultSwitch(Kind.SECONDS, "Every answer comes so much later"),
    "notification_delay_seconds": FaultSwitch(Kind.SECONDS, "Notifications are sent so much later"),
    "deny_after_settlement_seconds": FaultSwitch(
        Kind.SECONDS_OR_NEVER, "Every payment is denied so long after it settled"
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
