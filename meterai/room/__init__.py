"""Room: registration of rooms with the applications, and the container of services.

Promises of this package
  * The applications depend on a room only through its `Room`. So a new room needs only its package and an entry in the
    list of `apps/rooms.py` (docs/adding.md).
  * A process has one service of each type, built after those of the rooms below it.

It calls pages and plumbing. The `room.py` of every room calls it, and so does apps.
"""

from meterai.room.container import Container, Offers, ServiceUnknown
from meterai.room.knowing import Knows, WorkList
from meterai.room.room import Room, Rooms

__all__ = ["Container", "Knows", "Offers", "Room", "Rooms", "ServiceUnknown", "WorkList"]
