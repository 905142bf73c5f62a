"""Registration of the room `recovery` with the applications."""

from meterai.room import Room

ROOM = Room(name="recovery")
