"""What the room `capacity` registers with the applications."""

from meterai.room import Room

ROOM = Room(name="capacity")
