"""Registration of the room `reconciliation` with the applications."""

from meterai.room import Room

ROOM = Room(name="reconciliation")
