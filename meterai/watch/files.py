"""The static files of a watcher, each replaced atomically: a reader finds the old or the new file, also on a full disk."""

import errno
import json
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from meterai.watch import pages, statuspage
from meterai.watch.model import Published


def rendered(published: Published) -> Mapping[str, bytes]:
    """Return the content of each published file that is not signed, by the name of the file."""
    badges = {f"badge/{one.component}.svg": pages.badge(one) for one in published.components}
    return {
        "summary.json": _json(statuspage.summary(published)),
        "index.html": pages.page(published, "id"),
        "en.html": pages.page(published, "en"),
        **badges,
        "incidents.json": _json(statuspage.incidents(published)),
        "history.json": _json(statuspage.history(published)),
        "feed.atom": statuspage.feed(published),
    }


class Folder:
    """The public folder of a watcher, from which a web server serves its files."""

    def __init__(self, path: Path, public_key: bytes) -> None:
        self._path = path
        self._written: dict[str, bytes] = {}
        self._readings: dict[date, int] = {}  # number of lines in the file of a day
        for folder in (path, path / "badge", path / "readings"):
            folder.mkdir(parents=True, exist_ok=True)
        self._replace("watcher.pem", public_key)

    def write(self, published: Published, now: str, notes: str) -> None:
        """Replace the files that show the present state.  Raises `OSError`.

        `now` and `notes` are the signed contents of `now.json` and `notes.json`.
        """
        for name, content in {
            "now.json": now.encode(), **rendered(published), "notes.json": notes.encode(),
        }.items():  # fmt: skip
            self._replace(name, content)

    def write_changes(self, documents: Sequence[str]) -> None:
        """Write the file of all signed changes of components' states, one per line.  Raises `OSError`."""
        self._replace("changes.jsonl", "".join(f"{one}\n" for one in documents).encode())

    def write_readings(self, day: date, documents: Sequence[str]) -> None:
        """Append to the file of a day those of its signed readings that the file does not contain yet.  Raises `OSError`."""
        path = self._path / "readings" / f"{day.isoformat()}.jsonl"
        if day not in self._readings:
            self._readings = {one: count for one, count in self._readings.items() if one >= day}
            self._readings[day] = _whole_lines(path)
        missing = documents[self._readings[day] :]
        if not missing:
            return
        content = "".join(f"{one}\n" for one in missing).encode()
        # Unbuffered: the rest of a buffer would be written when the file is closed.
        with path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                if file.write(content) < len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                os.truncate(path, size)
                raise
        self._readings[day] = len(documents)

    def _replace(self, name: str, content: bytes) -> None:
        if self._written.get(name) == content:
            return
        path = self._path / name
        draft = path.with_name(f".{path.name}.new")
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        self._written[name] = content


def _whole_lines(path: Path) -> int:
    """Remove an incomplete last line of a file, which a kill of the process may leave, and count the other lines."""
    if not path.exists():
        return 0
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        os.truncate(path, len(content))
    return content.count(b"\n")


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
