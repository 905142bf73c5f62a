"""Registration of the room `regulator` with the applications."""

from meterai.room import Room

ROOM = Room(name="regulator")
