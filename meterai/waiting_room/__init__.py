"""Lines of people: networks in turn, who came first is served first, and nobody waits inside a server.

Promises this room keeps
  * A place is a signed number that its holder keeps: no restart, deploy or crash of ours loses one,
    and closing the page costs nothing.
  * Numbers are served in their order, and which number a place has follows from a rule: the next one for the first
    place of a network and for an account, else the turn of the network.  Nobody, the operator included, can put one
    place before another.
  * Places that a network takes without end are called in its turn, and make nobody of another network wait.
  * The order of a line that is drawn can be recomputed by anyone from public files, and nobody, the
    operator included, can choose it or draw again unseen (`draw`).
  * A line stands in nobody's way while the platform can serve all who come.
  * What is already paid never waits in a line.
  * Who had a place before a line closed is still served, and can prove it.
  * One turn for one account, with however many browsers somebody waits.
  * A line that is held lets nobody in and keeps every place.
  * Where the room cannot answer, nobody is let in to buy, and everything else goes on.

Calls accounts' callers only through the request; knows no orders.  Is called by rooms that sell
(`WaitingRoom.check_turn`), and its `Front` stands before the application and answers those who wait.
"""

from meterai.waiting_room.holding import (
    LineBefore,
    LineHold,
    before,
    guarding,
    hold,
    let_in,
    load_now,
    put_back,
)
from meterai.waiting_room.model import Guarded, GuardedAct, NotLetIn, WaitInLine
from meterai.waiting_room.operating import lines
from meterai.waiting_room.pages import into_line
from meterai.waiting_room.service import WaitingRoom
from meterai.waiting_room.settings import WaitingRoomSettings

__all__ = [
    "Guarded",
    "GuardedAct",
    "LineBefore",
    "LineHold",
    "NotLetIn",
    "WaitInLine",
    "WaitingRoom",
    "WaitingRoomSettings",
    "before",
    "guarding",
    "hold",
    "into_line",
    "let_in",
    "lines",
    "load_now",
    "put_back",
]
