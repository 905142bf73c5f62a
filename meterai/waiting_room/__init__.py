"""Waiting lines: visitors take numbered places and are called in order; waiting visitors cause almost no load.

Promises this room keeps
  * A place is a signed number that its holder keeps.  A restart, deploy or crash loses no place, and a holder may close
    the page without losing the place.
  * Numbers are called in order.  A rule assigns the number of a place: the next number for an account and for the first
    places of a network, else a later number by fair queueing among networks.  Nobody, the operator included, can put
    one place before another.
  * A network that takes many places delays only itself.
  * The order of a drawn line can be recomputed by anybody from public files, and nobody, the operator included, can
    choose the order or secretly draw again (`draw`).
  * A line is not engaged while the platform can serve all visitors.
  * Work that somebody has paid for never waits in a line.
  * A place taken before a line closed is still served, and its holder can prove the time at which it was taken.
  * An account has one turn, however many browsers it waits with.
  * A held line calls nobody and keeps every place.
  * If this room fails, nobody is let in to buy, and all other acts continue.

The room reads accounts only through the request and does not know orders.  Rooms that sell call
`WaitingRoom.check_turn`.  The class `front.WaitingLines` runs before the application and answers waiting visitors.
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
