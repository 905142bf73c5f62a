"""Registration of the room `watch` with the applications."""

from meterai.room import Room

ROOM = Room(name="watch")
