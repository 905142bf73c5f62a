"""Registration of the room `outages` with the applications."""

from meterai.room import Room

ROOM = Room(name="outages")
