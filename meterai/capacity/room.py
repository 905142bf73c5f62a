"""What the room `capacity` registers with the applications."""

from meterai.commands import Command, Directory, Scope
from meterai.room import Room

_REHEARSE = Command(
    "rehearse", "meterai.capacity.rehearsal.command:rehearse", Directory.SETTINGS, Scope.NOTHING
)
_PLAN = Command(
    "plan", "meterai.capacity.simulation.commands:plan", Directory.SETTINGS, Scope.NOTHING
)
_ASSESS = Command(
    "assess", "meterai.capacity.assessment.commands:assess", Directory.SETTINGS, Scope.NOTHING
)
ROOM = Room(name="capacity", commands=(_REHEARSE, _PLAN, _ASSESS))
