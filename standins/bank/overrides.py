"""Response overrides: simulated answers of a faulty bank, a proxy or a broken connection.

POST /standin/answers sets the answers to the next calls of a service, in order:

    {"service": "query", "answers": [{"merge": {"latestTransactionStatus": "03"}}]}

Every member of an answer may be absent:

    act           bool, true; whether the service carries the call out before it answers
    status        int; the HTTP status instead of the true one
    code          text; a response code of SNAP BI in place of the answer: status and case, as "40314"
    merge         object; members that replace those of the true answer (one level of nested objects is
                  merged too)
    drop          list of texts; members removed from the true answer
    body          text; the whole body instead of the true one
    repeat        int, 1; number of repetitions of that body, for a body longer than a client may read
    content_type  text; media type instead of application/json
    delay_seconds number; delay of the answer
    hang_up       bool, false; the connection is closed without an answer
    is_half       bool, false; the body ends in its middle
    times         int, 1; number of calls that get this answer; -1 means all

Overrides are stored and survive a restart, like the fault switches.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from sqlite3 import Connection
from typing import Any

from aiohttp import web

from standins.bank.answers import CODES, to_json
from standins.faults import ALL, COUNT_MAX, SECONDS_MAX
from standins.refusal import Refusal
from standins.state import transaction

BODY_CHARACTERS_MAX = 16 * 1024 * 1024  # of a repeated body; protects the memory of this process
# Names of services, and their SNAP service codes.
SERVICES = {
    "token": "73",
    "generate": "47",
    "query": "51",
    "cancel": "77",
    "refund": "78",
    "history-list": "12",
    "history-detail": "13",
    "balance": "11",
    "statement": "14",
    "account-internal": "15",
    "account-external": "16",
    "transfer-internal": "17",
    "transfer-external": "18",
    "transfer-status": "36",
    "va-create": "27",
    "va-update": "28",
    "va-delete": "31",
    "va-status": "26",
}
SCHEMA = """
CREATE TABLE IF NOT EXISTS response_override (
    seq     INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    answer  TEXT NOT NULL,
    times   INTEGER NOT NULL                     -- calls left; -1 all
);
CREATE INDEX IF NOT EXISTS response_override_of_service ON response_override (service, seq);
"""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "act": bool,
    "status": int,
    "code": str,
    "merge": dict,
    "drop": list,
    "body": str,
    "repeat": int,
    "content_type": str,
    "delay_seconds": (int, float),
    "hang_up": bool,
    "is_half": bool,
    "times": int,
}


class AnswerUnfit(Refusal):
    """The answer does not have the form that `standins.bank.overrides` describes."""

    code = "answer_unfit"
    status = 400


@dataclass(frozen=True, slots=True)
class ResponseOverride:
    """An answer that differs from the true answer; the docstring of the module describes its members."""

    act: bool = True
    status: int | None = None
    code: str = ""
    merge: dict[str, Any] = field(default_factory=dict)
    drop: list[str] = field(default_factory=list)
    body: str | None = None
    repeat: int = 1
    content_type: str | None = None
    delay_seconds: float = 0.0
    hang_up: bool = False
    is_half: bool = False
    times: int = 1

    def apply_to(self, true: web.Response) -> web.Response:
        """Return the true answer, changed by this override."""
        status = true.status if self.status is None else self.status
        kind = self.content_type or true.content_type
        if self.body is not None:
            return web.Response(
                body=self.body.encode() * self.repeat, status=status, content_type=kind
            )
        assert isinstance(true.body, bytes)
        if self.is_half:
            half = true.body[: len(true.body) // 2]
            return web.Response(body=half, status=status, content_type=kind)
        facts: dict[str, Any] = json.loads(true.body)
        if self.code:
            service = str(facts["responseCode"])[3:5]
            told = f"{self.code[:3]}{service}{self.code[3:]}"
            facts = {"responseCode": told, "responseMessage": CODES[self.code]}
            status = int(self.code[:3]) if self.status is None else status
        for name in self.drop:
            facts.pop(name, None)
        for name, value in self.merge.items():
            known = facts.get(name)
            both = isinstance(known, dict) and isinstance(value, dict)
            facts[name] = known | value if both else value
        return web.Response(body=to_json(facts), status=status, content_type=kind)


def _read(value: object) -> ResponseOverride:
    if not isinstance(value, dict):
        raise AnswerUnfit("an answer must be an object")
    for name, found in value.items():
        kind = _KINDS.get(name)
        # In Python bool is a subclass of int.
        if kind is None or not isinstance(found, kind) or (kind is int and found is True):
            raise AnswerUnfit(f"{name!r} is not a member of an answer, or has another type")
    answer = ResponseOverride(**value)
    if answer.status is not None and not 200 <= answer.status <= 599:
        raise AnswerUnfit("status must be 200 to 599")
    if answer.code and answer.code not in CODES:
        raise AnswerUnfit("code must be one of SNAP BI, without the two digits of the service")
    if not (ALL <= answer.times <= COUNT_MAX and answer.times):
        raise AnswerUnfit("times must be -1, or 1 and more")
    if not (math.isfinite(answer.delay_seconds) and 0 <= answer.delay_seconds <= SECONDS_MAX):
        raise AnswerUnfit(f"delay_seconds must be 0 to {SECONDS_MAX}")
    if (
        answer.repeat < 1
        or len(answer.body or "") * answer.repeat > BODY_CHARACTERS_MAX
        or not all(isinstance(name, str) for name in answer.drop)
    ):
        raise AnswerUnfit("body is too long, or drop names something other than a text")
    return answer


class ResponseOverrides:
    """Pending response overrides, by service."""

    def __init__(self, connection: Connection, services: Mapping[str, str] = SERVICES) -> None:
        self._connection = connection
        self._services = services

    def add(self, wanted: Mapping[str, object]) -> None:
        """Add overrides of a service after its pending ones. Refuses `AnswerUnfit`."""
        service, answers = wanted.get("service"), wanted.get("answers")
        if not isinstance(service, str) or service not in self._services:
            raise AnswerUnfit(f"service must be one of {', '.join(self._services)}")
        if not isinstance(answers, list):
            raise AnswerUnfit("answers must be a list")
        fit = [_read(answer) for answer in answers]
        with transaction(self._connection):
            for answer in fit:
                self._connection.execute(
                    "INSERT INTO response_override (service, answer, times) VALUES (?, ?, ?)",
                    (self._services[service], json.dumps(asdict(answer)), answer.times),
                )

    def waiting(self) -> list[dict[str, object]]:
        """Return the pending overrides, in order."""
        names = {code: name for name, code in self._services.items()}
        rows = self._connection.execute(
            "SELECT service, answer, times FROM response_override ORDER BY seq"
        ).fetchall()
        return [
            {"service": names[code]} | json.loads(text) | {"times": times}
            for code, text, times in rows
        ]

    def clear(self) -> None:
        """Remove all overrides."""
        self._connection.execute("DELETE FROM response_override")

    def take(self, code: str) -> ResponseOverride | None:
        """Return the override for this call of a service, or None; the call is counted."""
        row = self._connection.execute(
            "SELECT seq, answer, times FROM response_override WHERE service = ?"
            " ORDER BY seq LIMIT 1",
            (code,),
        ).fetchone()
        if row is None:
            return None
        seq, text, times = row
        if times == 1:
            self._connection.execute("DELETE FROM response_override WHERE seq = ?", (seq,))
        elif times != ALL:
            self._connection.execute(
                "UPDATE response_override SET times = times - 1 WHERE seq = ?", (seq,)
            )
        return ResponseOverride(**json.loads(text))
