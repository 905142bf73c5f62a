"""Files of keys that production needs, and how those are made that can be made here.

A room says which it needs (`Room.keys`), in an order in which each can be made of those before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.keyring import write_once


class OnlyForProduction(CommandRefusal):
    """The settings are of development, which makes its keys by itself."""

    code = "only_for_production"
    status = 500

    def __init__(self, command: str, data: str) -> None:
        super().__init__(f"{command} in development")
        self.command = command
        self.data = data


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One file that production needs.

    path    where it is looked for
    name    of its sentence `key.<name>`: what it is for, who gets it, and what its loss means
    make    its content, where it can be made here; None where somebody else gives it
    public  True where everybody may read it
    """

    path: Path
    name: str
    make: Callable[[], bytes] | None = None
    public: bool = False

    def made(self) -> bool:
        """Make the file unless it exists; True where it was made now."""
        if self.path.exists() or self.make is None:
            return False
        content = self.make()
        is_ours = write_once(self.path, content) == content
        if self.public:
            self.path.chmod(0o644)
        return is_ours
