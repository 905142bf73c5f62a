"""A storm: random faults for calls, notifications, records, files and payments, all drawn from one seed.

POST /standin/storm begins a storm: {"seed": 7, "share": 0.2, "kinds": ["call", "news"], "seconds": 3}. `share` (0 to 1) is
the share of occasions with a fault, `seconds` the longest delay, `kinds` the kinds of occasions (by default all).  Each
occasion has a number within its kind, and its fault depends only on seed, kind and number: the same seed gives the same
faults again. Faults that occurred are in the log and in GET /standin/storm; DELETE ends it.
"""

import json
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from random import Random  # noqa: TID251 - seeded below
from sqlite3 import Connection

from standins.bank.answers import CODES
from standins.bank.fault_switches import FAULT_SWITCHES
from standins.bank.overrides import ResponseOverride
from standins.faults import COUNT_MAX, SECONDS_MAX, Faults
from standins.refusal import NotUnderstood
from standins.state import transaction

SHARE, SECONDS = 0.2, 3.0
STRIKES_SHOWN = 10_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS storm (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    facts TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS storm_occasion (
    kind   TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS storm_strike (
    seq    INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    number INTEGER NOT NULL,
    fault  TEXT NOT NULL
);
"""
_TOLD = ("other_reference", "other_merchant", "other_amount", "other_currency", "one_rrn")
# Answers that differ from what was done.
_ANSWERS = (
    "nothing_50000",
    "nothing_50400",
    "done_50000",
    "done_50400",
    "refused",
    "truncated",
    "late",
    "hung_up",
)
_REFUSALS = tuple(code for code in CODES if code[0] == "4")
_CALL = (*_ANSWERS, *_TOLD)
_TRANSFER = (
    *_CALL,
    "transfers_pending",
    "transfers_returned",
    "transfers_refused_and_made",
    "transfers_to_nobody",
    "transfers_to_nobody_and_made",
    "float_empty",
)
# Faults by kind of occasion; those that are no answers are switches of `fault_switches`, or acts of `customer`.
FAULTS: Mapping[str, tuple[str, ...]] = {
    "call": _CALL,
    "call 12": (*_CALL, "history_line_twice", "history_line_missing"),
    "call 17": _TRANSFER,
    "call 18": _TRANSFER,
    "call 78": (
        *_CALL,
        "refunds_pending",
        "refunds_refused_and_made",
        "refunds_reversed",
        "refunds_too_late",
        "refunds_too_late_and_made",
    ),
    "news": (
        "drop_notifications",
        "double_notifications",
        "late_notifications",
        "truncate_notifications",
        "contradict_notifications",
        *_TOLD,
    ),
    "sending": ("unknown_key", "skew_clock"),
    "payment": ("deny", "deny_part", "deny_and_win", "give_back", "pay_again", "tell_failed"),
    "file": (
        "file_half",
        "file_line_twice",
        "file_line_missing",
        "file_broken_row",
        "file_other_encoding",
        "file_fee_rounded",
    ),
}
KINDS = tuple(dict.fromkeys(kind.split()[0] for kind in FAULTS))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a storm."""

    seed: int
    share: float = SHARE
    seconds: float = SECONDS
    kinds: tuple[str, ...] = KINDS


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault; `seconds` is its delay."""

    fault: str
    seconds: float


def drawn(settings: Settings, kind: str, number: int) -> Strike | None:
    """Return the fault of the occasion with this number, or None."""
    if kind.split()[0] not in settings.kinds:
        return None
    chance = Random(f"{settings.seed}/{kind}/{number}")  # noqa: S311 - to be repeated
    if chance.random() >= settings.share:
        return None
    faults = FAULTS.get(kind) or FAULTS[kind.split()[0]]
    fault, seconds = chance.choice(faults), chance.uniform(0, settings.seconds)
    if fault == "refused":
        fault = f"nothing_{chance.choice(_REFUSALS)}"
    return Strike(fault, seconds)


class Storm:
    """The storm of one bank, kept in its SQLite file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        row = connection.execute("SELECT facts FROM storm").fetchone()
        self._settings = None if row is None else _settings(json.loads(row[0]))

    def begin(self, wanted: Mapping[str, object]) -> None:
        """Begin a new storm, at the first number of every kind. Refuses `NotUnderstood`."""
        settings = _settings(wanted)
        self.end()
        with transaction(self._connection):
            for table in ("storm_occasion", "storm_strike"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - of this module
            self._connection.execute(
                "INSERT INTO storm (only, facts) VALUES (1, ?)", (json.dumps(asdict(settings)),)
            )
        self._settings = settings
        log.warning("storm begins: %s", settings)

    def end(self) -> None:
        """End the storm; faults that occurred are still shown."""
        self._settings = None
        self._connection.execute("DELETE FROM storm")

    def strike(self, kind: str) -> Strike | None:
        """Return the fault of the next occasion of this kind, or None. The occasion is counted, and a fault is logged."""
        if self._settings is None:
            return None
        (number,) = self._connection.execute(
            "INSERT INTO storm_occasion (kind, number) VALUES (?, 1)"
            " ON CONFLICT (kind) DO UPDATE SET number = number + 1 RETURNING number",
            (kind,),
        ).fetchone()
        found = drawn(self._settings, kind, number)
        if found is not None:
            self._connection.execute(
                "INSERT INTO storm_strike (kind, number, fault) VALUES (?, ?, ?)",
                (kind, number, found.fault),
            )
            log.warning("storm %d: %s %d: %s", self._settings.seed, kind, number, found.fault)
        return found

    def shown(self) -> dict[str, object]:
        """Return the settings of the storm (null without one), and the faults that occurred."""
        rows = self._connection.execute(
            "SELECT kind, number, fault FROM storm_strike ORDER BY seq LIMIT ?", (STRIKES_SHOWN,)
        ).fetchall()
        strikes = [dict(zip(("kind", "number", "fault"), row, strict=True)) for row in rows]
        return {"storm": self._settings and asdict(self._settings), "strikes": strikes}

    def text(self) -> str:
        """Return the storm as a text for people; empty without one."""
        return "" if self._settings is None else f"Storm, seed {self._settings.seed}"


class BankFaults(Faults):
    """The fault switches of a bank, and its storm."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, FAULT_SWITCHES)
        self.storm = Storm(connection)

    @contextmanager
    def struck(self, kind: str) -> Iterator[Strike | None]:
        """Yield the fault of the next occasion of this kind, or None; its switch is armed in the body."""
        strike = self.storm.strike(kind)
        with self.armed(None if strike is None else strike.fault):
            yield strike


def answer_of(strike: Strike | None) -> ResponseOverride | None:
    """Return the override for a fault that changes an answer, else None."""
    if strike is None:
        return None
    done, _, code = strike.fault.partition("_")
    if code in CODES:
        return ResponseOverride(act=done == "done", code=code)
    match strike.fault:
        case "truncated":
            return ResponseOverride(is_half=True)
        case "late":
            return ResponseOverride(delay_seconds=strike.seconds)
        case "hung_up":
            return ResponseOverride(hang_up=True)
        case _:
            return None


def _settings(wanted: Mapping[str, object]) -> Settings:
    return Settings(**dict(_checked(wanted)))  # type: ignore[arg-type]


def _checked(wanted: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in {"seed": None, **wanted}.items():
        match name, value:
            case "seed", int() if type(value) is int and 0 <= value <= COUNT_MAX:
                yield name, value
            case "share", int() | float() if 0 <= value <= 1:
                yield name, float(value)
            case "seconds", int() | float() if math.isfinite(value) and 0 <= value <= SECONDS_MAX:
                yield name, float(value)
            case "kinds", list() | tuple() if value and set(value) <= set(KINDS):
                yield name, tuple(value)
            case _:
                raise NotUnderstood(
                    f"{name}: a storm has a seed, a share of 0 to 1, seconds, and kinds of"
                    f" {', '.join(KINDS)}"
                )
