"""Journal of a batch in a file: a line for each step, flushed to disk before the next step begins."""

import os
from pathlib import Path
from typing import Any

import msgspec

NAME = ".meterai-batch.jsonl"


class JournalUnreadable(Exception):
    """A line in the middle of the journal is invalid, or the file is a link: somebody else changed it."""


class Journal:
    """The steps of one folder. A last line truncated by a crash is ignored."""

    def __init__(self, path: Path) -> None:
        """Raises `JournalUnreadable`."""
        self._path = path
        self._steps: list[dict[str, Any]] = []
        self._read()

    def _read(self) -> None:
        to_do = "put back the file that was there, or move this one away to begin anew"
        if self._path.is_symlink():
            raise JournalUnreadable(f"{self._path} is a link: {to_do}")
        if not self._path.exists():
            return
        whole, _, cut = self._path.read_bytes().rpartition(b"\n")
        try:
            self._steps = [
                msgspec.json.decode(line, type=dict[str, Any])
                for line in whole.split(b"\n")
                if line
            ]
        except msgspec.DecodeError:
            raise JournalUnreadable(f"{self._path} is not a journal: {to_do}") from None
        if cut:
            with self._path.open("r+b") as file:
                file.truncate(len(whole) + 1 if whole else 0)

    def note(self, **step: Any) -> None:
        """Record a step, flushed to disk."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(step) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._steps.append(step)

    def last(self, name: str) -> Any:
        """Return the latest value of a step, or None."""
        return next((one[name] for one in reversed(self._steps) if name in one), None)

    def every(self, name: str) -> list[Any]:
        """Return every value of a step."""
        return [one[name] for one in self._steps if name in one]
