"""Draws: a random order of visitors, which nobody can choose and anybody can verify from public files.

Promises this room keeps
  * Every entry made before the list closed gets one number, and each number is equally probable.
  * The randomness that decides the order does not exist until the root of the list is signed and public.
  * A draw that could not be carried out is announced again in public, with a reason.
  * Anybody can recompute the order at any later time (docs/decisions/0030-draw.md).

The calling room stores the subjects of draws (`Subjects`), such as waiting lines, and takes the entries (`draw_enter`).  The
room `draw` uses only the id, the name and the times of a subject.
"""

from meterai.draw.advancing import DrawService
from meterai.draw.commands import moment_of
from meterai.draw.entering import EntryBatcher, entry_of
from meterai.draw.files import LIST, RECORD, address_of, name_of_draw, public_file
from meterai.draw.invariants import ANNOUNCEMENT, LAST_ATTEMPT, LAST_KIND
from meterai.draw.operating import carry_in_round, replace_void
from meterai.draw.parts import DrawSigner, draw_service_of
from meterai.draw.protocol.record import read
from meterai.draw.protocol.rules import round_time
from meterai.draw.settings import DrawSettings
from meterai.draw.store import DueDraw, draw_of, numbers_of
from meterai.draw.subjects import DrawSubject, Subjects

__all__ = [
    "ANNOUNCEMENT",
    "LAST_ATTEMPT",
    "LAST_KIND",
    "LIST",
    "RECORD",
    "DrawService",
    "DrawSettings",
    "DrawSigner",
    "DrawSubject",
    "DueDraw",
    "EntryBatcher",
    "Subjects",
    "address_of",
    "carry_in_round",
    "draw_of",
    "draw_service_of",
    "entry_of",
    "moment_of",
    "name_of_draw",
    "numbers_of",
    "public_file",
    "read",
    "replace_void",
    "round_time",
]
