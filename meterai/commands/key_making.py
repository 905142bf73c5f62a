"""Key files that production needs, and the creation of those that the operator can make without another party.

A room lists the key files that it needs (`Room.keys`), in an order in which each can be made from earlier ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.keyring import write_once


class OnlyForProduction(CommandRefusal):
    """The command is for production only; these are settings of development, where keys are made automatically."""

    code = "only_for_production"
    status = 500

    def __init__(self, command: str, data: str) -> None:
        super().__init__(f"{command} in development")
        self.command = command
        self.data = data


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file that production needs.

    path    path of the file
    name    its message is `key.<name>`, with its purpose, its recipient, and the effect of its loss
    make    function that returns its content; None if another party issues the file
    public  True if everybody may read it
    """

    path: Path
    name: str
    make: Callable[[], bytes] | None = None
    public: bool = False

    def made(self) -> bool:
        """Make the file unless it exists. Return true if it was made now."""
        if self.path.exists() or self.make is None:
            return False
        content = self.make()
        is_ours = write_once(self.path, content) == content
        if self.public:
            self.path.chmod(0o644)
        return is_ours
