"""`meterai-batch DIR`: stamp every PDF of a folder, and continue after an interruption.

Hidden files and folders are left out. Symbolic links are reported and not followed.
"""

import argparse
import json
import os
import stat
import sys
import tempfile
import uuid
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from meterai_client.calling import Retrying
from meterai_client.client import Meterai
from meterai_client.errors import MeteraiError, Refused
from meterai_client.journal import NAME, Journal, JournalUnreadable
from meterai_client.models import Batch, BatchFile, BatchRow
from meterai_client.placing import At, AtText, InCorner, Placement, Row

try:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
except ImportError:
    raise SystemExit("meterai-batch needs rich: pip install 'meterai-client[batch]'") from None

FILES_OF_REQUEST = 100
BYTES_OF_REQUEST = (
    32 * 1024 * 1024
)  # the installation accepts 128 MiB at once; an interruption costs one request
KEY_LENGTH_MAX = 100  # characters, of the installation
ROWS_OF_REQUEST = 2_000
DOWNLOADS_AT_ONCE = 4
# An installation may be unavailable for minutes during a restart.
PATIENT = Retrying(deadline_seconds=900, tries_max=100)
# Exit statuses.
DONE, SOME_NOT_STAMPED, STOPPED = 0, 1, 2


class OutUnsafe(Exception):
    """A stamped document would be written through a link."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Options of the command."""

    folder: Path
    out: Path
    rows: Path | None
    placement: Placement | Sequence[Placement]
    reference: str | None
    orders: bool
    payment_method: str | None


def main() -> None:
    """Run the command with the arguments of the process."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Stamp a folder. Returns 0 if every row was stamped, 1 if some were not, 2 if the command stopped before
    all rows ended.
    """
    wish, url, key = _wish(words)
    console = Console(stderr=True)
    try:
        with Meterai(url, key, retrying=PATIENT) as client:
            return Folder(client, wish, console).work()
    except (JournalUnreadable, OutUnsafe) as stopped:
        console.print(f"stopped: {_printable(str(stopped))}", style="red", markup=False)
        return STOPPED
    except (MeteraiError, OSError) as stopped:
        console.print(f"stopped: {_printable(str(stopped))}", style="red", markup=False)
        console.print("Run the same command to continue.")
        return STOPPED
    except KeyboardInterrupt:
        console.print("stopped; run the same command to continue.")
        return STOPPED


def _wish(words: Sequence[str]) -> tuple[Wish, str, str]:
    parser = argparse.ArgumentParser(prog="meterai-batch", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--url", required=True, help="address of the installation")
    parser.add_argument(
        "--key-file", type=Path, help=("file with the API key (default: METERAI_KEY)")
    )
    parser.add_argument("--out", type=Path, help="folder for the stamped files (DIR/stamped)")
    parser.add_argument(
        "--rows", type=Path, help="table of rows: .csv as Excel writes it, or .jsonl"
    )
    parser.add_argument("--placement", help='JSON; default: {"corner": "bottom_right"}')
    parser.add_argument("--reference", help="your own name for the batch")
    parser.add_argument("--order", action="store_true", help="order missing stamps")
    parser.add_argument("--payment-method", help="how the order is paid")
    given = parser.parse_args(words)
    key = (
        given.key_file.read_text().strip() if given.key_file else os.environ.get("METERAI_KEY", "")
    )
    if not key:
        parser.error("the key is missing: --key-file, or METERAI_KEY")
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is not a folder")
    try:
        placement = (
            _placement(json.loads(given.placement)) if given.placement else InCorner("bottom_right")
        )
    except (ValueError, TypeError, AttributeError):
        parser.error("--placement is none")
    wish = Wish(
        given.folder, given.out or given.folder / "stamped", given.rows, placement, given.reference,
        given.order or given.payment_method is not None, given.payment_method,
    )  # fmt: skip
    return wish, given.url, key


def _placement(told: Any) -> Placement | Sequence[Placement]:
    """Return a placement, or several, from parsed JSON. Raises `TypeError` or another exception if it is invalid."""
    if isinstance(told, list):
        return [_one(one) for one in told]
    return _one(told)


def _one(told: dict[str, Any]) -> Placement:
    kind = AtText if "text" in told else InCorner if "corner" in told else At
    return kind(**told)


class Folder:
    """A folder whose PDFs are stamped as a batch."""

    def __init__(self, client: Meterai, wish: Wish, console: Console) -> None:
        self._client = client
        self._wish = wish
        self._console = console
        self._journal = Journal(wish.folder / NAME)

    def work(self) -> int:
        """Stamp the folder, from the point of an interruption on. Return the exit status. Raises `OutUnsafe`."""
        for one in (self._wish.out, *self._wish.out.rglob("*")):
            if one.is_symlink():
                raise OutUnsafe(f"{one} is a link: remove it, or name another folder with --out")
        done: int | None = self._journal.last("done")
        if done is not None:
            self._say(
                f"this batch was done before; without {self._wish.folder / NAME} everything would "
                "be stamped again"
            )
            return done
        batch = self._made()
        if self._journal.last("started") is None:
            self._send_files(batch)
            self._send_rows(batch)
            batch = self._started(batch)
        if batch.state == "waiting_for_stamps":
            self._show_order(batch)
        self._wait(batch)
        self._take(batch)
        return self._told(batch)

    def _say(self, text: str) -> None:
        self._console.print(_printable(text), markup=False, highlight=False)

    def _bar(self) -> Progress:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self._console)

    def _made(self) -> Batch:
        """Return the batch, made if necessary; its Idempotency-Key is recorded before the request."""
        key = self._journal.last("key")
        if key is None:
            key = str(uuid.uuid4())
            self._journal.note(key=key)
        number = self._journal.last("batch")
        if number is not None:
            return self._client.batches.get(number)
        batch = self._client.batches.create(self._wish.reference, key=key)
        self._journal.note(batch=batch.id)
        return batch

    def _files(self) -> list[tuple[str, Path]]:
        """Return names and files, including links; results of an earlier run in the folder are left out."""
        return [
            (name, one) for name, one in self._seen()
            if one.suffix.lower() == ".pdf" and (one.is_symlink() or one.is_file())
        ]  # fmt: skip

    def _seen(self) -> list[tuple[str, Path]]:
        """Return all files and links that are not hidden, with their names."""
        folder, out = self._wish.folder.resolve(), self._wish.out.resolve()
        found = ((one.relative_to(folder), one) for one in folder.rglob("*"))
        return sorted(
            (_name_of(name), one) for name, one in found
            if not any(part.startswith(".") for part in name.parts) and not one.is_relative_to(out)
        )  # fmt: skip

    def _send_files(self, batch: Batch) -> None:
        files = self._files()
        known = {name for names in self._journal.every("sent") for name in names}
        missing = [one for one in files if one[0] not in known]
        for name, path in self._seen():
            if path.is_symlink() and path.is_dir():
                self._say(f"{name}: a link, which is skipped")
        with self._bar() as bar:
            task = bar.add_task("files", total=len(files), completed=len(files) - len(missing))
            for those in _portions(missing):
                for one in self._sent(batch, those):
                    if one.reason is not None:
                        self._say(f"{one.name}: {one.reason.code}: {one.reason.en}")
                self._journal.note(sent=[name for name, _ in those])
                bar.advance(task, len(those))

    def _sent(self, batch: Batch, files: Sequence[tuple[str, Path]]) -> Sequence[BatchFile]:
        """Send files in an archive, which keeps their folders. Return the outcome of each file."""
        with tempfile.TemporaryFile() as packed:
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
                for name, path in files:
                    if path.is_symlink():  # the installation refuses the link by name
                        link = zipfile.ZipInfo(name)
                        link.create_system = 3  # Unix, whose archives have file modes
                        link.external_attr = (stat.S_IFLNK | 0o777) << 16
                        archive.writestr(link, b"")
                    else:
                        archive.write(path, name)
            packed.seek(0)
            return self._client.batches.add_zip(batch.id, packed).files

    def _send_rows(self, batch: Batch) -> None:
        if self._journal.last("rows"):
            return
        table = self._wish.rows
        if table is not None and table.suffix.lower() == ".csv":
            self._client.batches.add_csv(batch.id, table)
        elif table is not None:
            self._client.batches.add_lines(batch.id, table)
        else:
            rows = [
                Row(file=name, placement=self._wish.placement, key=_key_of(name))
                for name, _ in self._files()
            ]
            for at in range(0, len(rows), ROWS_OF_REQUEST):
                self._client.batches.add_rows(batch.id, rows[at : at + ROWS_OF_REQUEST])
        self._journal.note(rows=True)

    def _started(self, batch: Batch) -> Batch:
        """Start the batch. It is no error if an interrupted run started it before."""
        try:
            batch = self._client.batches.start(
                batch.id, orders=self._wish.orders, payment_method=self._wish.payment_method
            )
        except Refused as refused:
            if refused.code != "batch_started":
                raise
            batch = self._client.batches.get(batch.id)
        self._journal.note(started=True)
        return batch

    def _show_order(self, batch: Batch) -> None:
        if batch.order is None:
            self._say(
                f"{batch.stamps.missing} stamps are missing: buy them, and the batch continues"
            )
            return
        payment = batch.order.payment
        self._say(f"pay Rp{batch.order.total} ({batch.order.id}) until {payment.expires_at}:")
        # Standard output is for programs.
        sys.stdout.write(f"{_printable(str(payment.qr_content or payment.instructions))}\n")
        sys.stdout.flush()

    def _wait(self, batch: Batch) -> None:
        with self._bar() as bar:
            task = bar.add_task("stamps", total=batch.rows.total)

            def seen(now: Batch) -> None:
                bar.update(task, completed=now.rows.total - now.rows.waiting - now.rows.reserved)

            self._client.batches.wait(batch.id, timeout_seconds=7 * 86_400, progress=seen)

    def _take(self, batch: Batch) -> None:
        """Download every stamped file that is missing."""
        delivered = list(self._client.batches.rows(batch.id, state="delivered"))
        wanted = [(row, path) for row, path in self._places(delivered) if not path.exists()]
        with self._bar() as bar, ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as threads:
            task = bar.add_task("results", total=len(wanted))

            def take(one: tuple[BatchRow, Path]) -> None:
                row, path = one
                path.parent.mkdir(parents=True, exist_ok=True)
                self._client.batches.document(batch.id, row.row, path)

            for _ in threads.map(take, wanted):
                bar.advance(task)

    def _places(self, rows: Sequence[BatchRow]) -> Iterator[tuple[BatchRow, Path]]:
        """Yield the target path of each stamped file: its name, inside the folder; a second file with that name gets the
        number of its row.
        """
        ours = {name for name, _ in self._files()}
        taken: set[Path] = set()
        for row in rows:
            # The name of a document has no folder; the key of our own row has.
            name = row.key if row.key in ours and row.key is not None else row.document
            parts = [one for one in PurePosixPath(name).parts if one not in ("/", "..", ".")]
            path = self._wish.out.joinpath(*(parts or [f"{row.row}.pdf"]))
            if path in taken:
                path = path.with_name(f"{path.stem}-{row.row}{path.suffix}")
            taken.add(path)
            yield row, path

    def _told(self, batch: Batch) -> int:
        ended = self._client.batches.get(batch.id)
        for state in ("refused", "failed", "cancelled"):
            for row in self._client.batches.rows(batch.id, state=state):
                why = "" if row.reason is None else f"{row.reason.code}: {row.reason.en}"
                self._say(f"row {row.row} {row.document or row.key or ''}: {why or state}")
        self._say(f"{ended.rows.delivered} of {ended.rows.total} are stamped, in {self._wish.out}")
        done = DONE if ended.rows.delivered == ended.rows.total else SOME_NOT_STAMPED
        self._journal.note(done=done)
        return done


def _name_of(path: Path) -> str:
    """Return the name of a file for the installation; a name that is not UTF-8 gets escapes, and is refused there."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _printable(text: str) -> str:
    """Return foreign text for a terminal, with escapes for unprintable characters."""
    return "".join(
        one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode()
        for one in text
    )


def _key_of(name: str) -> str | None:
    """Return the key of the row for a file; None if the name is too long, so that the row is identified by its content."""
    return name if len(name) <= KEY_LENGTH_MAX else None


def _portions(files: Sequence[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    """Yield files in groups, one group for each request."""
    portion: list[tuple[str, Path]] = []
    size = 0
    for name, path in files:
        length = path.lstat().st_size
        if portion and (len(portion) == FILES_OF_REQUEST or size + length > BYTES_OF_REQUEST):
            yield portion
            portion, size = [], 0
        portion.append((name, path))
        size += length
    if portion:
        yield portion
