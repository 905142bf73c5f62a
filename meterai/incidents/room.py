"""Registration of the room `incidents` with the applications."""

from meterai.room import Room

ROOM = Room(name="incidents")
