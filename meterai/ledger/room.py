"""The ledger, as the applications see the room."""

from meterai.room import Room

ROOM = Room(name="ledger", tables=frozenset({"entries", "legs", "balances", "holds"}))
