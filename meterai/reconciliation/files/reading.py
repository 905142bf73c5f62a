"""Reading of a file of a provider or bank into lines of its record.

`read` yields `Movement | UnmatchedLine` as a rail's history does.  It notes facts of the whole file in `FileRead`, and faults
if the file is incomplete or of another day.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from meterai.kit.money import Rupiah
from meterai.payments import Movement, MovementKind, UnmatchedLine
from meterai.reconciliation.files.amounts import ReadAmount, read_sum
from meterai.reconciliation.files.layouts import (
    HEAD_LINES_MAX,
    LAYOUTS,
    Columns,
    Names,
    RowTexts,
    TableLayout,
)
from meterai.reconciliation.files.moments import read_moment
from meterai.reconciliation.files.mt940 import is_mt940, read_mt940
from meterai.reconciliation.files.rows import (
    BROKEN,
    FileUnreadable,
    Row,
    ends_within_a_line,
    is_workbook,
    lines_of,
    rows_of_text,
    rows_of_workbook,
    separator_of,
)
from meterai.reconciliation.model import begin_of

TOLD_CHARACTERS_MAX = 60  # of each cell of an unreadable line that is reported
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


_BROKEN, _EARLY = "a broken row", "a row that ends early"
_SUMS = frozenset({"amount", "debit", "credit", "fee", "tax"})
# Fault of a file without any line of ours, by the fault of its lines; else `no_readable_line`.
_NONE_OF_OURS = {
    "of another day": "no_line_of_this_day",
    "of another merchant": "of_another_merchant",
}
_ANOTHER = "of_another_account"
# The number of the account above a table: it follows one of these words.
_ACCOUNT = re.compile(
    r"\b(?:rekening|norek|account)(?: no| number)?\W{1,5}([0-9][0-9 .\-]{6,}[0-9])", re.IGNORECASE
)
CUT_OFF = timedelta(hours=2)  # the day of a provider may end this long before midnight
COLUMNS_MIN = 3  # known columns by which a header row is distinguished from other lines


@dataclass(slots=True)
class FileRead:
    """The facts that a file should have, and the facts that were found while the file was read."""

    day: date
    ourselves: frozenset[str] = frozenset()  # our merchants; empty: not checked
    accounts: frozenset[str] = frozenset()  # numbers of the account whose statements are read
    names: Names = field(default_factory=dict)
    layout: str = ""
    lines: int = 0
    unmatched: int = 0
    before: int = 0  # lines of the evening before, of a provider that ends its day early
    elsewhere: int = 0  # lines of other days in a file of several days
    faults: list[str] = field(default_factory=list)  # reasons why the file is not complete
    ends_within_a_line: bool = False
    why: str = ""  # fault of the first unmatched line

    def take(self, one: Movement | UnmatchedLine) -> Movement | UnmatchedLine:
        """Count a line and return it."""
        self.lines += 1
        if isinstance(one, UnmatchedLine):
            self.unmatched, self.why = self.unmatched + 1, self.why or one.why
        return one

    def look_at_account(self, number: str) -> None:
        """Note a fault if the statement is of another account: `number` belongs to another account of ours, or is not in
        `accounts`.
        """
        digits = re.sub("[^0-9]", "", number)
        is_another = digits in self.names or (self.accounts and digits)
        if is_another and digits not in self.accounts and _ANOTHER not in self.faults:
            self.faults.append(_ANOTHER)

    def end(self) -> None:
        """Note a fault if the file ended without any readable line of ours."""
        if self.unmatched and self.unmatched + self.before == self.lines:
            self.faults.append(_NONE_OF_OURS.get(self.why, "no_readable_line"))


def read(path: Path, of: FileRead) -> Iterator[Movement | UnmatchedLine]:
    """Yield the lines of a record file.  Raises `FileUnreadable` if no line can be read."""
    if path.stat().st_size == 0:
        raise FileUnreadable("empty")
    if is_workbook(path):
        yield from _HeadedTable(of, *_head(rows_of_workbook(path), of)).lines()
    else:
        yield from _text_lines(path, of)
    of.end()


def _text_lines(path: Path, of: FileRead) -> Iterator[Movement | UnmatchedLine]:
    lines, of.ends_within_a_line = lines_of(path), ends_within_a_line(path)
    head = list(islice(lines, HEAD_LINES_MAX))
    if is_mt940(head):
        of.layout = "mt940"
        rest = chain(head, lines)
        for one in read_mt940(rest, of.day, of.names, of.faults, of.look_at_account):
            yield of.take(one)
        return
    if any("\x00" in line for line in head if line != BROKEN):
        raise FileUnreadable("no_text")
    looked = _Head()
    for number, line in enumerate(head):
        separator = separator_of(line)
        if told := _ACCOUNT.search(line):
            of.look_at_account(told[1])
        rows = rows_of_text(iter([line]), separator, number + 1)
        if found := looked.layout([cell for _, cells in rows for cell in cells]):
            rest = chain(head[number + 1 :], lines)
            yield from _HeadedTable(of, *found, rows_of_text(rest, separator, number + 2)).lines()
            return
    raise looked.fault()


class _Head:
    """Search for the header row with the names of columns.  Keeps the row that came closest, to report why it does not fit."""

    def __init__(self) -> None:
        self._closest = Columns({}, (), ())

    def layout(self, head: Sequence[object]) -> tuple[TableLayout, Mapping[str, int], int] | None:
        """Return (layout that a header row fits, positions of the columns by role, number of columns); None if no layout
        fits.
        """
        for layout in LAYOUTS:
            found = layout.columns(head)
            if not found.lacks and not found.twice:
                return layout, found.places, len(head)
            if len(found.places) > len(self._closest.places):
                self._closest = found
        return None

    def fault(self) -> FileUnreadable:
        """Return the fault of a file without a header row."""
        places, lacks, twice = self._closest
        if len(places) < COLUMNS_MIN:
            return FileUnreadable("no_known_columns")
        return (
            FileUnreadable("column_missing", lacks[0])
            if lacks
            else FileUnreadable("column_twice", twice[0])
        )


def _head(
    rows: Iterator[Row], of: FileRead
) -> tuple[TableLayout, Mapping[str, int], int, Iterator[Row]]:
    looked = _Head()
    for _, cells in islice(rows, HEAD_LINES_MAX):
        if told := _ACCOUNT.search(" ".join(map(_text, cells))):
            of.look_at_account(told[1])
        if found := looked.layout(cells):
            return *found, rows
    raise looked.fault()


def _text(cell: object) -> str:
    """Return a cell as text; a whole number from a spreadsheet is written without a decimal point."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


class _HeadedTable:
    """Reads the rows below a header row. A column that the header row lacks has the position -1; each row gets an empty cell at
    its end, so this column reads as empty.
    """

    def __init__(
        self,
        of: FileRead,
        layout: TableLayout,
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
        self._day_begins, self._ends = begins, begins + timedelta(days=1)
        self._begins = begins - CUT_OFF if layout.is_of_day else begins

        def place(role: str) -> int:
            return columns.get(role, -1)

        self._said = [place(one) for one in ("reference", "payment", "refund", "text")]
        self._kind, self._part, self._moved_at = place("kind"), place("part"), place("moved_at")
        self._amount, self._side = place("amount"), place("side")
        self._debit, self._credit = place("debit"), place("credit")
        self._fee, self._tax, self._balance = place("fee"), place("tax"), place("balance")
        self._currency, self._merchant = place("currency"), place("merchant")

    def lines(self) -> Iterator[Movement | UnmatchedLine]:
        """Yield every line of the day; note a fault if the file is truncated."""
        last: Movement | UnmatchedLine | None = None
        for number, given in self._rows:
            if not any(given):
                continue
            cells = [*given, *([""] * (self._width - len(given) + 1))]
            last = self._line(number, cells, len(given))
            if last is not None:
                yield self._of.take(last)
        if self._is_cut(last):
            self._of.faults.append("half_a_file")

    def _is_cut(self, last: Movement | UnmatchedLine | None) -> bool:
        """True if the file ends within a row, or may do so because its last row ends with a sum, which may be truncated."""
        why = last.why if isinstance(last, UnmatchedLine) else ""
        if why == _BROKEN or not self._of.ends_within_a_line:
            return why == _BROKEN
        at_end = {role for role, place in self._columns.items() if place == self._width - 1}
        return why == _EARLY or bool(at_end and (why or at_end & _SUMS))

    def _line(
        self, number: int, cells: list[object], count: int
    ) -> Movement | UnmatchedLine | None:
        before, self._before = self._before, None  # unknown after an unreadable line
        if cells[0] == BROKEN:
            return UnmatchedLine(_BROKEN, f"row {number}")
        if count < self._width - 1:
            return self._unmatched(_EARLY, number, cells)
        if count > self._width and any(cells[self._width : count]):
            return self._unmatched("a row with more cells than there are columns", number, cells)
        cells.append("")
        found, moved_at = self._sum(cells), read_moment(cells[self._moved_at])
        if found is None or found.is_in is None:
            return self._unmatched("no readable sum of rupiah", number, cells)
        if moved_at is None:
            return self._unmatched("no readable time", number, cells)
        self._before = before
        follows = self._balance < 0 or self._follows(found, cells)
        if not self._begins <= moved_at < self._ends:
            if self._layout.is_of_day:
                return self._unmatched("of another day", number, cells)
            self._of.elsewhere += 1
            return None
        if not follows:
            return self._unmatched(
                "a balance that does not follow from the line before", number, cells
            )
        return self._movement(number, cells, found, moved_at)

    def _movement(
        self, number: int, cells: Sequence[object], found: ReadAmount, moved_at: datetime
    ) -> Movement | UnmatchedLine:
        said = RowTexts(self._word(cells), *[_text(cells[one]) for one in self._said])
        judged = self._layout.judge(said, bool(found.is_in), self._of.names)
        self._of.before += moved_at < self._day_begins
        fee, tax = self._share(cells[self._fee]), self._share(cells[self._tax])
        why = self._complaint(cells, said, found)
        if judged.kind is None:
            why = "no kind that is known"
        if fee is None or tax is None:
            why = "no readable fee"
        if why or judged.kind is None:
            return self._unmatched(why, number, cells)
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

    def _complaint(self, cells: Sequence[object], said: RowTexts, found: ReadAmount) -> str:
        """Return the reason why a readable line cannot be used, such as another currency or merchant; empty if it can."""
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
        """Return the kind of a row in lower case. If the table has a column for the line type (role `part`), `|` and this type
        follow.
        """
        kind = _text(cells[self._kind]).lower()
        return kind if self._part < 0 else f"{kind}|{_text(cells[self._part]).lower()}"

    def _sum(self, cells: Sequence[object]) -> ReadAmount | None:
        """Return the sum of a row with its direction, which is shown by a sign, a column with a mark, or separate columns for
        debit and credit.
        """
        if self._amount >= 0:
            found, side = _read(cells[self._amount]), _read_side(cells[self._side])
            if found is None or (None not in (found.is_in, side) and found.is_in != side):
                return None
            is_in = side if found.is_in is None else found.is_in
            # In a report in which minus is the only mark, a sum without minus is incoming.
            return ReadAmount(
                found.rupiah, True if is_in is None and self._layout.is_of_day else is_in
            )
        given = [(cells[self._debit], False), (cells[self._credit], True)]
        moved = [(_read(cell), is_in) for cell, is_in in given if _text(cell) not in ("", "-")]
        if any(found is None or found.is_in is False for found, _ in moved):
            return None
        some = [(found.rupiah, is_in) for found, is_in in moved if found and found.rupiah]
        return ReadAmount(*some[0]) if len(some) == 1 else None

    def _share(self, cell: object) -> int | None:
        """Return the rupiah of a cell with a fee or tax; 0 if the cell is empty, None if it is unreadable."""
        if cell in ("", None):
            return 0
        found = _read(cell)
        return None if found is None or found.is_in is False else found.rupiah

    def _follows(self, found: ReadAmount, cells: Sequence[object]) -> bool:
        """True if the balances of this line and the line before differ by the sum; lines may be sorted with the newest first or
        last.
        """
        balance = _read(cells[self._balance])
        if balance is None:
            return True
        signed = found.rupiah if found.is_in else -found.rupiah
        held = -balance.rupiah if balance.is_in is False else balance.rupiah
        before, self._before = self._before, (signed, held)
        return before is None or held - before[1] == signed or before[1] - held == before[0]

    def _unmatched(self, why: str, number: int, cells: Sequence[object]) -> UnmatchedLine:
        """Return a row as an unmatched line, with its numbers, times and sums only."""
        said = {
            role: _text(cells[place])
            for role in _TOLD
            if (place := self._columns.get(role, -1)) >= 0
        }
        told = [f"row {number}"]
        told += [f"{role}={text[:TOLD_CHARACTERS_MAX]!a}" for role, text in said.items() if text]
        return UnmatchedLine(why, ", ".join(told))


def _read(cell: object) -> ReadAmount | None:
    """Parse the sum in a cell, which is a text or a number of a spreadsheet; None if unreadable."""
    if isinstance(cell, str):
        return read_sum(cell.strip())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        is_whole = abs(cell) < EXACT_MAX and cell == int(cell)
        return ReadAmount(abs(int(cell)), False if cell < 0 else None) if is_whole else None
    return None


def _read_side(cell: object) -> bool | None:
    said = _text(cell).lower().rstrip(".") if cell else ""
    if said in ("c", "cr", "k", "kredit", "credit", "in"):
        return True
    return False if said in ("d", "db", "dr", "debet", "debit", "out") else None
