"""Registration of the room `finance` with the applications."""

from meterai.room import Room

ROOM = Room(name="finance")
