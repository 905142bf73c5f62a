"""A file of a provider or bank as lines of its record.

`read` yields `Movement | OddLine` as a rail's history does, and tells of the file as a whole in `FileRead`: where
half of it is missing, or it is of another day, nothing may be taken for complete.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path

from meterai.kit.clock import WIB
from meterai.kit.money import Rupiah
from meterai.payments import Movement, MovementKind, OddLine
from meterai.reconciliation.files.amounts import Sum, read_sum
from meterai.reconciliation.files.layouts import HEAD_LINES_MAX, LAYOUTS, Layout, Line
from meterai.reconciliation.files.moments import read_moment
from meterai.reconciliation.files.mt940 import is_mt940, read_mt940
from meterai.reconciliation.files.rows import (
    BROKEN,
    FileOdd,
    Row,
    is_workbook,
    lines_of,
    rows_of_text,
    rows_of_workbook,
    separator_of,
)

TOLD_CHARACTERS_MAX = 60  # of one number of a line that cannot be read
NUMBER_CHARACTERS_MAX = 100  # of a number of a provider
_TOLD = (
    "line",
    "kind",
    "part",
    "moved_at",
    "reference",
    "payment",
    "refund",
    "amount",
    "debit",
    "credit",
)


@dataclass(slots=True)
class FileRead:
    """What was learned of a file while it was read."""

    day: date
    ourselves: frozenset[str] = frozenset()  # merchants that we are; of none where it is empty
    layout: str = ""
    lines: int = 0
    odd: int = 0
    elsewhere: int = 0  # lines of other days, of a file that is of several
    faults: list[str] = field(default_factory=list)  # by which it is not complete

    def take(self, one: Movement | OddLine) -> Movement | OddLine:
        """Count a line."""
        self.lines += 1
        self.odd += isinstance(one, OddLine)
        return one


def read(path: Path, of: FileRead) -> Iterator[Movement | OddLine]:
    """Lines of a file.  Raises `FileOdd` where it cannot be read at all."""
    if path.stat().st_size == 0:
        raise FileOdd("empty")
    if is_workbook(path):
        table = _Table(of, *_head(rows_of_workbook(path)))
        yield from table.lines()
        return
    lines = lines_of(path)
    head = list(islice(lines, HEAD_LINES_MAX))
    if is_mt940(head):
        of.layout = "mt940"
        for one in read_mt940(chain(head, lines), of.day, of.faults):
            yield of.take(one)
        return
    if any("\x00" in line for line in head):
        raise FileOdd("no_text")
    for number, line in enumerate(head):
        separator = separator_of(line)
        rows = rows_of_text(iter([line]), separator, number + 1)
        if found := _layout([cell for _, cells in rows for cell in cells]):
            rest = chain(head[number + 1 :], lines)
            table = _Table(of, *found, rows_of_text(rest, separator, number + 2))
            yield from table.lines()
            return
    raise FileOdd("no_known_columns")


def _layout(head: Sequence[object]) -> tuple[Layout, Mapping[str, int], int] | None:
    for layout in LAYOUTS:
        if columns := layout.columns(head):
            return layout, columns, len(head)
    return None


def _head(rows: Iterator[Row]) -> tuple[Layout, Mapping[str, int], int, Iterator[Row]]:
    for _, cells in islice(rows, HEAD_LINES_MAX):
        if found := _layout(cells):
            return *found, rows
    raise FileOdd("no_known_columns")


def _text(cell: object) -> str:
    """A cell as a number or word is compared.  A whole number of a spreadsheet has no point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


class _Table:
    """Rows below a head, one by one."""

    def __init__(
        self,
        of: FileRead,
        layout: Layout,
        columns: Mapping[str, int],
        width: int,
        rows: Iterator[Row],
    ) -> None:
        self._of = of
        self._layout = layout
        self._columns = columns
        self._width = width
        self._rows = rows
        self._before: tuple[int, int] | None = None  # signed sum and balance of the line before
        of.layout = layout.name

    def lines(self) -> Iterator[Movement | OddLine]:
        """Every line that is of the day."""
        last: object = None
        for number, cells in self._rows:
            if not any(cell not in ("", None) for cell in cells):
                continue
            last = self._line(number, cells)
            if last is not None:
                yield self._of.take(last)
        if isinstance(last, OddLine) and last.why in ("a broken row", "a row that ends early"):
            self._of.faults.append("half_a_file")

    def _line(self, number: int, cells: Sequence[object]) -> Movement | OddLine | None:
        before, self._before = self._before, None  # nothing follows from a line that cannot be read
        if cells[0] == BROKEN:
            return OddLine("a broken row", f"row {number}")
        if len(cells) < self._width - 1:
            return self._odd("a row that ends early", number, cells)
        found = self._sum(cells)
        moved_at = read_moment(self._cell(cells, "moved_at"))
        if found is None or found.is_in is None:
            return self._odd("no readable sum of rupiah", number, cells)
        if moved_at is None:
            return self._odd("no readable time", number, cells)
        self._before = before
        if moved_at.astimezone(WIB).date() != self._of.day:
            self._follows(found, cells)
            if self._layout.is_of_day:
                return self._odd("of another day", number, cells)
            self._of.elsewhere += 1
            return None
        return self._movement(number, cells, found, moved_at)

    def _movement(
        self, number: int, cells: Sequence[object], found: Sum, moved_at: datetime
    ) -> Movement | OddLine:
        said = self._said(cells)
        judged = self._layout.judge(said, bool(found.is_in))
        fee, tax = self._part(cells, "fee"), self._part(cells, "tax")
        currency, merchant = self._word(cells, "currency"), self._word(cells, "merchant")
        long = (said.reference, said.payment, said.refund)
        complaints = {
            "no kind that is known": judged.kind is None,
            "of another currency": currency.upper() not in ("", "IDR", "RP"),
            "of another merchant": self._of.ourselves
            and merchant
            and merchant not in self._of.ourselves,
            "a sum of nothing": found.rupiah == 0,
            "no readable fee": fee is None or tax is None,
            "a number that is none": any(
                len(one) > NUMBER_CHARACTERS_MAX or "\ufffd" in one or not one.isprintable()
                for one in long
            ),
            "a balance that does not follow from the line before": not self._follows(found, cells),
        }
        why = next((complaint for complaint, holds in complaints.items() if holds), "")
        if why or judged.kind is None or fee is None or tax is None:
            return self._odd(why, number, cells)
        side = "" if judged.kind is not MovementKind.OTHER else (" in" if found.is_in else " out")
        return Movement(
            judged.kind,
            moved_at,
            judged.reference,
            judged.payment,
            Rupiah(found.rupiah),
            judged.refund_number,
            judged.provider_refund_number,
            Rupiah(fee) if fee else None,
            Rupiah(tax) if tax else None,
            f"{number}{side}",
        )

    def _said(self, cells: Sequence[object]) -> Line:
        kind = self._word(cells, "kind").lower()
        if part := self._word(cells, "part").lower():
            kind = f"{kind}|{part}"
        words = [self._word(cells, role) for role in ("reference", "payment", "refund", "text")]
        return Line(kind, *words)

    def _sum(self, cells: Sequence[object]) -> Sum | None:
        """The sum of a row with its direction: by its sign, its mark, its column, or beside it."""
        if "amount" in self._columns:
            found = self._read(cells, "amount")
            side = self._read_side(cells)
            if found is None or (None not in (found.is_in, side) and found.is_in != side):
                return None
            is_in = side if found.is_in is None else found.is_in
            # A report without marks and signs but minus has no sign on what came in.
            is_signed = is_in is None and self._layout.is_of_day
            return Sum(found.rupiah, True if is_signed else is_in)
        columns = [(self._word(cells, one), one) for one in ("debit", "credit")]
        given = [(self._read(cells, one), one) for text, one in columns if text not in ("", "-")]
        if any(found is None or found.is_in is False for found, _ in given):
            return None
        moved = [(found, one) for found, one in given if found and found.rupiah]
        if len(moved) != 1 or moved[0][0] is None:
            return None
        return Sum(moved[0][0].rupiah, moved[0][1] == "credit")

    def _read_side(self, cells: Sequence[object]) -> bool | None:
        said = self._word(cells, "side").lower().rstrip(".")
        if said in ("c", "cr", "k", "kredit", "credit", "in"):
            return True
        return False if said in ("d", "db", "dr", "debet", "debit", "out") else None

    def _read(self, cells: Sequence[object], role: str) -> Sum | None:
        cell = self._cell(cells, role)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            is_whole = abs(cell) < 2**53 and cell == int(cell)
            return Sum(abs(int(cell)), False if cell < 0 else None) if is_whole else None
        return read_sum(_text(cell))

    def _part(self, cells: Sequence[object], role: str) -> int | None:
        """A fee or tax within a line, 0 where it has none; None where it cannot be read."""
        if self._word(cells, role) == "":
            return 0
        found = self._read(cells, role)
        return None if found is None or found.is_in is False else found.rupiah

    def _follows(self, found: Sum, cells: Sequence[object]) -> bool:
        """Whether its balance is that of the line before and this sum, in files from old to new or back."""
        if "balance" not in self._columns:
            return True
        balance = self._read(cells, "balance")
        if balance is None:
            return True
        signed = found.rupiah if found.is_in else -found.rupiah
        held = -balance.rupiah if balance.is_in is False else balance.rupiah
        before, self._before = self._before, (signed, held)
        return before is None or held - before[1] == signed or before[1] - held == before[0]

    def _cell(self, cells: Sequence[object], role: str) -> object:
        place = self._columns.get(role)
        return "" if place is None or place >= len(cells) else cells[place]

    def _word(self, cells: Sequence[object], role: str) -> str:
        return _text(self._cell(cells, role))

    def _odd(self, why: str, number: int, cells: Sequence[object]) -> OddLine:
        """A line that cannot be read, by its numbers, times and sums alone."""
        told = [f"row {number}"]
        told += [
            f"{role}={self._word(cells, role)[:TOLD_CHARACTERS_MAX]!a}"
            for role in _TOLD
            if self._word(cells, role)
        ]
        return OddLine(why, ", ".join(told))
