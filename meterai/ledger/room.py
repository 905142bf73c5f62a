"""Registration of the ledger."""

from meterai.ledger.audited import AUDITED
from meterai.ledger.figures import FIGURES, PROMISES
from meterai.ledger.invariants import INVARIANTS
from meterai.ledger.personal import PERSONAL
from meterai.ledger.retention import RETENTION
from meterai.room import Room

ROOM = Room(
    name="ledger",
    tables=frozenset({"entries", "legs", "balances", "holds"}),
    invariants=INVARIANTS,
    audited=AUDITED,
    retention=RETENTION,
    personal=PERSONAL,
    figures=FIGURES,
    promises=PROMISES,
)
