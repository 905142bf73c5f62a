"""A file of a provider or bank as lines of its record.

`read` yields `Movement | OddLine` as a rail's history does, and tells of the file as a whole in `FileRead`: where
half of it is missing, or it is of another day, nothing may be taken for complete.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from meterai.kit.money import Rupiah
from meterai.payments import Movement, MovementKind, OddLine
from meterai.reconciliation.files.amounts import Sum, read_sum
from meterai.reconciliation.files.layouts import HEAD_LINES_MAX, LAYOUTS, Layout, Line, Names
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
from meterai.reconciliation.model import begin_of

TOLD_CHARACTERS_MAX = 60  # of one number of a line that cannot be read
EXACT_MAX = 9_007_199_254_740_992  # below it a number of a spreadsheet is exact
NUMBERS_CHARACTERS_MAX = 250  # of all numbers of a line
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


_CUT = ("a broken row", "a row that ends early")  # the last of a file that was cut off


@dataclass(slots=True)
class FileRead:
    """Facts learned of a file while it was read."""

    day: date
    ourselves: frozenset[str] = frozenset()  # merchants that we are; of none where it is empty
    names: Names = field(default_factory=dict)
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
        for one in read_mt940(chain(head, lines), of.day, of.names, of.faults):
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
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


class _Table:
    """Rows below a head, one by one.  A column that is not there is read as empty, at the end of each row."""

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
        begins = begin_of(of.day)
        self._begins, self._ends = begins, begins + timedelta(days=1)

        def place(role: str) -> int:
            return columns.get(role, -1)

        self._said = [place(one) for one in ("reference", "payment", "refund", "text")]
        self._kind, self._part, self._moved_at = place("kind"), place("part"), place("moved_at")
        self._amount, self._side = place("amount"), place("side")
        self._debit, self._credit = place("debit"), place("credit")
        self._fee, self._tax, self._balance = place("fee"), place("tax"), place("balance")
        self._currency, self._merchant = place("currency"), place("merchant")

    def lines(self) -> Iterator[Movement | OddLine]:
        """Every line that is of the day."""
        last: object = None
        for number, given in self._rows:
            if not any(given):
                continue
            cells = [*given, *([""] * (self._width - len(given) + 1))]
            last = self._line(number, cells, len(given))
            if last is not None:
                yield self._of.take(last)
        if isinstance(last, OddLine) and last.why in _CUT:
            self._of.faults.append("half_a_file")

    def _line(self, number: int, cells: list[object], count: int) -> Movement | OddLine | None:
        before, self._before = self._before, None  # nothing follows from a line that cannot be read
        if cells[0] == BROKEN:
            return OddLine(_CUT[0], f"row {number}")
        if count < self._width - 1:
            return self._odd(_CUT[1], number, cells)
        cells.append("")
        found, moved_at = self._sum(cells), read_moment(cells[self._moved_at])
        if found is None or found.is_in is None:
            return self._odd("no readable sum of rupiah", number, cells)
        if moved_at is None:
            return self._odd("no readable time", number, cells)
        self._before = before
        follows = self._balance < 0 or self._follows(found, cells)
        if not self._begins <= moved_at < self._ends:
            if self._layout.is_of_day:
                return self._odd("of another day", number, cells)
            self._of.elsewhere += 1
            return None
        if not follows:
            return self._odd("a balance that does not follow from the line before", number, cells)
        return self._movement(number, cells, found, moved_at)

    def _movement(
        self, number: int, cells: Sequence[object], found: Sum, moved_at: datetime
    ) -> Movement | OddLine:
        said = Line(self._word(cells), *[_text(cells[one]) for one in self._said])
        judged = self._layout.judge(said, bool(found.is_in), self._of.names)
        fee, tax = self._share(cells[self._fee]), self._share(cells[self._tax])
        why = self._complaint(cells, said, found)
        if judged.kind is None:
            why = "no kind that is known"
        if fee is None or tax is None:
            why = "no readable fee"
        if why or judged.kind is None:
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
            judged.counterpart,
        )

    def _complaint(self, cells: Sequence[object], said: Line, found: Sum) -> str:
        """Why a line that can be read is none of ours; empty where it is."""
        currency, merchant = _text(cells[self._currency]), _text(cells[self._merchant])
        if currency and currency.upper() not in ("IDR", "RP"):
            return "of another currency"
        if merchant and self._of.ourselves and merchant not in self._of.ourselves:
            return "of another merchant"
        if not found.rupiah:
            return "a sum of nothing"
        numbers = f"{said.reference}{said.payment}{said.refund}"
        if (
            not numbers.isprintable()
            or "\ufffd" in numbers
            or len(numbers) > NUMBERS_CHARACTERS_MAX
        ):
            return "a number that is none"
        return ""

    def _word(self, cells: Sequence[object]) -> str:
        """Kind of a row as it is written, its part behind it."""
        kind = _text(cells[self._kind]).lower()
        return kind if self._part < 0 else f"{kind}|{_text(cells[self._part]).lower()}"

    def _sum(self, cells: Sequence[object]) -> Sum | None:
        """The sum of a row with its direction: by its sign, its mark, its column, or beside it."""
        if self._amount >= 0:
            found, side = _read(cells[self._amount]), _read_side(cells[self._side])
            if found is None or (None not in (found.is_in, side) and found.is_in != side):
                return None
            is_in = side if found.is_in is None else found.is_in
            # A report without marks and signs but minus has no sign on what came in.
            return Sum(found.rupiah, True if is_in is None and self._layout.is_of_day else is_in)
        given = [(cells[self._debit], False), (cells[self._credit], True)]
        moved = [(_read(cell), is_in) for cell, is_in in given if _text(cell) not in ("", "-")]
        if any(found is None or found.is_in is False for found, _ in moved):
            return None
        some = [(found.rupiah, is_in) for found, is_in in moved if found and found.rupiah]
        return Sum(*some[0]) if len(some) == 1 else None

    def _share(self, cell: object) -> int | None:
        """A fee or tax within a line, 0 where it has none; None where it cannot be read."""
        if cell in ("", None):
            return 0
        found = _read(cell)
        return None if found is None or found.is_in is False else found.rupiah

    def _follows(self, found: Sum, cells: Sequence[object]) -> bool:
        """Whether its balance is that of the line before and this sum, in files from old to new or back."""
        balance = _read(cells[self._balance])
        if balance is None:
            return True
        signed = found.rupiah if found.is_in else -found.rupiah
        held = -balance.rupiah if balance.is_in is False else balance.rupiah
        before, self._before = self._before, (signed, held)
        return before is None or held - before[1] == signed or before[1] - held == before[0]

    def _odd(self, why: str, number: int, cells: Sequence[object]) -> OddLine:
        """A line that cannot be read, by its numbers, times and sums alone."""
        said = {
            role: _text(cells[place])
            for role in _TOLD
            if (place := self._columns.get(role, -1)) >= 0
        }
        told = [f"row {number}"]
        told += [f"{role}={text[:TOLD_CHARACTERS_MAX]!a}" for role, text in said.items() if text]
        return OddLine(why, ", ".join(told))


def _read(cell: object) -> Sum | None:
    """The sum of a cell, of a text or of a number of a spreadsheet."""
    if isinstance(cell, str):
        return read_sum(cell.strip())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        is_whole = abs(cell) < EXACT_MAX and cell == int(cell)
        return Sum(abs(int(cell)), False if cell < 0 else None) if is_whole else None
    return None


def _read_side(cell: object) -> bool | None:
    said = _text(cell).lower().rstrip(".") if cell else ""
    if said in ("c", "cr", "k", "kredit", "credit", "in"):
        return True
    return False if said in ("d", "db", "dr", "debet", "debit", "out") else None
