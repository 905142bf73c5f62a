"""Invariants over all tables, against silent loss of work: no work has a due time so far in the future that it is never done,
no due work is late, and other rows prove every mark that says that work has ended.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from meterai.plumbing.db.audited import Audited, DueWork, MarkEvidence
from meterai.plumbing.db.invariants import AHEAD, LATE, Invariant
from meterai.plumbing.db.sql_files import described


def quiet_harm(audited: Audited) -> tuple[Invariant, ...]:
    """Return the invariants of this module, which concern all tables. Tables without accounts have separate invariants, which
    are checked for all rows at once. The invariant about late work is also checked for all rows at once: few rows wait for
    work, and the indexes of the periodic tasks find them.
    """
    tables = _Tables()
    clocks = list(_clocks(audited, tables))
    marks = [(one.table in tables.owned, _without_proof(one, tables)) for one in audited.evidence]
    times = "Times of past events are in the past, and scheduled work is due within its bound"
    proven = "Every mark that ends work has its evidence"
    return (
        Invariant("times_hide_no_work", f"{times}.", _all(clocks, is_owned=True)),
        Invariant(
            "times_of_nobody_hide_no_work",
            f"{times} (tables without accounts).",
            _all(clocks, is_owned=False),
        ),
        Invariant(
            "work_is_done_in_time",
            "Scheduled work has a due time, and begins soon after it.",
            "\nUNION ALL\n".join(_late(one, tables) for one in audited.dues),
        ),
        Invariant("marks_have_their_evidence", f"{proven}.", _all(marks, is_owned=True)),
        Invariant(
            "marks_of_nobody_have_their_evidence",
            f"{proven} (tables without accounts).",
            _all(marks, is_owned=False),
        ),
    )


_TIME = "timestamp with time zone"
_KEY = re.compile(r"PRIMARY KEY \((.*)\)")


class _Tables:
    """Schema of the tables: which of them belong to accounts, their primary keys, and their columns of times."""

    def __init__(self) -> None:
        known = described()
        columns = [name.split(".") for kind, name in known if kind == "column"]
        self.owned = {table for table, column in columns if column == "account_id"}
        self.keys = {
            name.split(".")[0]: [f"t.{one}" for one in found[1].split(", ") if one != "account_id"]
            for (_, name), text in known.items()
            if (found := _KEY.fullmatch(text))
        }
        self.times: defaultdict[str, list[str]] = defaultdict(list)
        for table, column in columns:
            if _TIME in known["column", f"{table}.{column}"]:
                self.times[table].append(column)

    def rows(self, table: str, wrong: str, *, is_whole: bool = False) -> str:
        """Return SQL that selects account, key and times of the rows of a table (alias `t`) for which the condition
        `wrong` is true.
        """
        account = "t.account_id" if table in self.owned else "NULL::uuid"
        source = table if is_whole or table not in self.owned else f"{{{table}*}}"
        times = [f"t.{one}" for one in self.times.get(table, ())]
        told = f"concat_ws(' ', {', '.join(self.keys[table] + times)})"
        return f"SELECT {account} AS account_id, '{table}' AS found_in, {told} AS told FROM {source} t WHERE {wrong}"


def _all(queries: Iterable[tuple[bool, str]], *, is_owned: bool) -> str:
    return "\nUNION ALL\n".join(query for of_account, query in queries if of_account == is_owned)


def _clocks(audited: Audited, tables: _Tables) -> Iterator[tuple[bool, str]]:
    """Yield for each table whether its rows belong to accounts, and SQL that selects its rows with a time beyond the allowed
    bound.
    """
    bounds = {(one.table, one.column): one for one in audited.clocks}
    for table, names in sorted(tables.times.items()):
        past = [f"t.{name}" for name in names if (table, name) not in bounds]
        wrong = [f"greatest({', '.join(past)}) > now() + {AHEAD}"] if past else []
        wrong += [f"t.{name} = '-infinity'" for name in names]
        for name in names:
            if one := bounds.pop((table, name), None):
                beyond = f"t.{name} > {one.until}"
                wrong.append(f"({beyond} AND NOT (t.{name} = 'infinity' AND ({one.never})))")
                wrong += [f"t.{name} < {one.since}"] if one.since else []
        yield table in tables.owned, tables.rows(table, " OR ".join(wrong))
    assert not bounds, "the column of a clock is no column of times"


def _late(one: DueWork, tables: _Tables) -> str:
    late = f"({one.at} < now() - {one.late or LATE} OR {one.at} IS NULL)"
    return tables.rows(one.table, f"({one.waits}) AND {late}", is_whole=True)


def _without_proof(one: MarkEvidence, tables: _Tables) -> str:
    return tables.rows(one.table, f"({one.marked}) AND NOT coalesce({one.proof}, false)")
