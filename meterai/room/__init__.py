"""Room: registration of rooms with the applications, and the container of services.

Promises this floor keeps
  * The applications know a room by its `Room` alone: who adds one writes its package and puts it
    into the list of `apps/rooms.py` (docs/adding.md).
  * There is one service of each type in a process, built after those of the rooms below it.

Calls pages and plumbing.  Is called by the `room.py` of every room, and by apps.
"""

from meterai.room.container import Container, Offers, ServiceUnknown
from meterai.room.knowing import Knows, WorkList
from meterai.room.room import Room, Rooms

__all__ = ["Container", "Knows", "Offers", "Room", "Rooms", "ServiceUnknown", "WorkList"]
