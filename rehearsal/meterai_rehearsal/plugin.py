"""Entry point of this distribution: the commands that it adds to the command line of `meterai`."""

from collections.abc import Sequence

from meterai.commands import Command, DemandScope, Directory

COMMANDS: Sequence[Command] = tuple(
    Command(name, f"meterai_rehearsal.{function}", Directory.SETTINGS, DemandScope.NOTHING)
    for name, function in (
        ("rehearse", "rehearsal.command:rehearse"),
        ("plan", "simulation.commands:plan"),
        ("assess", "assessment.commands:assess"),
    )
)
