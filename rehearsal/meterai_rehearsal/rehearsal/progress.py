"""Display during a run: on a terminal a table that is updated, elsewhere lines."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from meterai.plumbing.messages import translate
from meterai_rehearsal.rehearsal.processes import Progress

PLAIN_SECONDS = 5.0  # between two lines without a terminal
COLUMNS = ("time", "offered", "under_way", "finished", "failed", "busy", "errors", "dropped")
Tell = Callable[[str], None]


class Shown:
    """Progress of all generator processes together."""

    def __init__(self, seconds: float, language: str, tell: Tell) -> None:
        self._seconds = seconds
        self._language = language
        self._tell = tell
        self._latest: dict[int, Progress] = {}
        self._told_at = -PLAIN_SECONDS
        self._live: Live | None = None

    def update(self, progress: Progress) -> None:
        """Set the progress of one process. It is called from several threads; the last call counts."""
        self._latest[progress.share] = progress
        if self._live is not None:
            self._live.update(self._table())
        elif progress.at - self._told_at >= PLAIN_SECONDS:
            self._told_at = progress.at
            self._tell(self.line())

    def phase(self, name: str) -> None:
        """Set the current phase, which the figures do not show."""
        said = translate(f"rehearsal.phase.{name}", self._language)
        if self._live is not None:
            self._live.console.print(said)
        else:
            self._tell(said)

    def _figures(self) -> tuple[str, ...]:
        now = list(self._latest.values())
        at = max((one.at for one in now), default=0.0)
        sums = (
            sum(one.offered for one in now),
            sum(one.under_way for one in now),
            sum(one.finished for one in now),
            sum(one.failed for one in now),
            sum(one.busy for one in now),
            sum(one.error_pages for one in now),
            sum(one.dropped for one in now),
        )
        return (f"{at:.0f}/{self._seconds:.0f} s", *(f"{one:,}" for one in sums))

    def _heads(self) -> list[str]:
        return [translate(f"rehearsal.{one}", self._language) for one in COLUMNS]

    def line(self) -> str:
        """Return all figures in one line."""
        pairs = zip(self._heads(), self._figures(), strict=True)
        return ", ".join(f"{head} {figure}" for head, figure in pairs)

    def _table(self) -> Table:
        table = Table(*self._heads(), box=None)
        table.add_row(*self._figures())
        return table

    @contextmanager
    def shown(self) -> Iterator["Shown"]:
        """Show the progress during the `with` block, on the terminal if there is one."""
        if not sys.stderr.isatty():
            yield self
            return
        with Live(self._table(), console=Console(stderr=True), refresh_per_second=2) as live:
            self._live = live
            yield self
        self._live = None
