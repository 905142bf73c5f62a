"""Knowledge of the audit about every table, of the rooms and of none, and the rules over all of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

from meterai.apps.rooms import ROOMS
from meterai.plumbing import tables
from meterai.plumbing.audited import Audited, Evidence
from meterai.plumbing.invariants import AHEAD, Everything, Invariant
from meterai.plumbing.sql_files import described
from meterai.room import Rooms

Known = TypeVar("Known")


def audited_of(rooms: Rooms = ROOMS) -> Audited:
    """What plumbing and these rooms say, together.  One table measures, that of the highest room."""
    each = [tables.AUDITED, *(room.audited for room in rooms)]
    return Audited(
        facts=tuple(chain.from_iterable(one.facts for one in each)),
        checked=_together(one.checked for one in each),
        unchecked=_together(one.unchecked for one in each),
        subjects=_together(one.subjects for one in each),
        of_accounts=tuple(chain.from_iterable(one.of_accounts for one in each)),
        unfinished=tuple(chain.from_iterable(one.unfinished for one in each)),
        related=tuple(chain.from_iterable(one.related for one in reversed(each))),
        standing=tuple(chain.from_iterable(one.standing for one in each)),
        clocks=tuple(chain.from_iterable(one.clocks for one in each)),
        evidence=tuple(chain.from_iterable(one.evidence for one in each)),
        measure=next(one.measure for one in reversed(each) if one.measure),
    )


def _together(each: Iterable[Mapping[str, Known]]) -> Mapping[str, Known]:
    return {table: known for one in each for table, known in one.items()}


AUDITED = audited_of()
EVERYTHING = Everything(AUDITED.subjects)


def quiet_harm(audited: Audited = AUDITED) -> tuple[Invariant, ...]:
    """The rules that are about every table: no time hides work, no mark is without what proves it.

    Tables of no account are looked at as a whole, by an invariant of their own.
    """
    known = {name: text for (kind, name), text in described().items() if kind == "column"}
    columns = [name for name, text in known.items() if _TIME in text]
    owned = {name.split(".")[0] for name in known if name.endswith(".account_id")}
    clocks = list(_clocks(audited, columns, owned))
    promise = "Every time of what happened is past, and what is scheduled is due within its bound"
    marks = [(one.table in owned, _without_proof(one, owned)) for one in audited.evidence]
    return (
        Invariant("times_hide_no_work", f"{promise}.", _all(clocks, is_owned=True)),
        Invariant(
            "times_of_nobody_hide_no_work",
            f"{promise}; of no account.",
            _all(clocks, is_owned=False),
        ),
        Invariant(
            "marks_have_their_evidence",
            "Every mark that ends work has what proves it.",
            _all(marks, is_owned=True),
        ),
    )


_TIME = "timestamp with time zone"


def _all(queries: Iterable[tuple[bool, str]], *, is_owned: bool) -> str:
    return "\nUNION ALL\n".join(query for of_account, query in queries if of_account == is_owned)


def _clocks(
    audited: Audited, columns: Iterable[str], owned: set[str]
) -> Iterator[tuple[bool, str]]:
    """SQL of rows with a time that is beyond its bound, table by table."""
    bounds = {f"{one.table}.{one.column}": one for one in audited.clocks}
    assert bounds.keys() <= set(columns), "a clock is no column of times"
    by_table: defaultdict[str, list[str]] = defaultdict(list)
    for name in columns:
        by_table[name.split(".")[0]].append(name)
    for table, names in sorted(by_table.items()):
        past = [f"t.{name.split('.')[1]}" for name in names if name not in bounds]
        wrong = [f"greatest({', '.join(past)}) > now() + {AHEAD}"] if past else []
        wrong += [f"t.{name.split('.')[1]} = '-infinity'" for name in names]
        for name in names:
            if one := bounds.get(name):
                beyond = f"t.{one.column} > {one.until}"
                wrong.append(f"({beyond} AND NOT (t.{one.column} = 'infinity' AND ({one.never})))")
        yield (
            table in owned,
            _rows(table, owned, " OR ".join(wrong), [f"t.{name.split('.')[1]}" for name in names]),
        )


def _without_proof(one: Evidence, owned: set[str]) -> str:
    return _rows(one.table, owned, f"({one.marked}) AND NOT coalesce({one.proof}, false)", [])


def _rows(table: str, owned: set[str], wrong: str, shown: list[str]) -> str:
    account, source = ("t.account_id", f"{{{table}*}}") if table in owned else ("NULL::uuid", table)
    told = f"concat_ws(' ', {', '.join(shown)})" if shown else "to_jsonb(t)::text"
    return f"SELECT {account} AS account_id, '{table}' AS found_in, {told} AS told FROM {source} t WHERE {wrong}"  # noqa: S608
