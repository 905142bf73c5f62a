"""Registration of the room `privacy` with the applications."""

from meterai.room import Room

ROOM = Room(name="privacy")
