"""Calls as values, and the handling of their answers, without input or output.

An operation is a generator: it yields a `Try` or a `Pause`, and gets the outcome. So an operation is written once, and run
with or without `await` (`transports.py`).
"""

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar, cast

import msgspec

from meterai_client.contents import Body, Progress, Target
from meterai_client.errors import AnswerUnreadable, NotAnswered, Refused, StillUnderWay, class_of

T = TypeVar("T")
PROBLEM = "application/problem+json"
NOTHING = type(None)  # type of a call without an answer

# Refusals that waiting does not change, whatever `Retry-After` says: a client without a turn must take a place first.
_NEEDS_A_TURN = frozenset({"wait_in_line", "number_not_served"})


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. `answer` is the type of a successful answer; `target`, if any, is the file to which the body
    of the answer is written. Every call may be sent again: it has an Idempotency-Key, or a repeat does no harm.
    """

    method: str
    path: str
    answer: type[T]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    target: Target | None = None
    progress: Progress | None = None

    @property
    def key(self) -> str | None:
        """The Idempotency-Key, or None."""
        return self.headers.get("Idempotency-Key")


@dataclass(frozen=True, slots=True)
class Try:
    """Request to send a call; `seconds` is the longest silence of the server."""

    call: Call[Any]
    silence_seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Request of an operation to wait for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer; the names of headers are in lower case. The body of a successful download is in its target."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """No answer, or an incomplete one. `is_ours` is true for a fault of the client itself, which would recur in
    each try.
    """

    message: str
    is_ours: bool


Outcome = Answered | Fault | None
Steps = Generator[Try | Pause, Outcome, T]


@dataclass(frozen=True, slots=True)
class Retrying:
    """Number and duration of the tries of a call.

    `deadline_seconds`  seconds after the first try at which the call ends: no try begins later, and no wait lasts longer
    `tries_max`         tries of one call
    `first_seconds`     bound of the pause before the second try; the bound doubles with each further try
    `longest_seconds`   bound of every pause; a pause is random below its bound, and never shorter than `Retry-After`
    `silence_seconds`   longest silence of the server in one try
    """

    deadline_seconds: float = 120.0
    tries_max: int = 8
    first_seconds: float = 0.5
    longest_seconds: float = 20.0
    silence_seconds: float = 60.0
    clock: Callable[[], float] = monotonic
    chance: Callable[[], float] = random.random

    def pause(self, tries: int, at_least: float) -> float:
        """Return the seconds to wait after `tries` tries, not less than `at_least`."""
        bound: float = min(self.longest_seconds, self.first_seconds * 2 ** (tries - 1))
        return at_least + bound * self.chance()


def send(call: Call[T], retrying: Retrying) -> Steps[T]:
    """Try a call until it has a final answer.

    Raises `Refused`, `NotAnswered` after the last try, `AnswerUnreadable`, `DownloadDamaged`.
    """
    ends_at = retrying.clock() + retrying.deadline_seconds
    tries = 0
    while True:
        left = ends_at - retrying.clock()
        outcome = yield Try(call, max(0.001, min(left, retrying.silence_seconds)))
        assert outcome is not None
        tries += 1
        if isinstance(outcome, Answered) and outcome.status < 300:
            return _read(call, outcome)
        again_after, wrong = _failed(call, outcome)
        if again_after is None or tries >= retrying.tries_max:
            raise wrong
        seconds = retrying.pause(tries, again_after)
        if retrying.clock() + seconds >= ends_at:
            raise wrong
        yield Pause(seconds)


def _read(call: Call[T], answered: Answered) -> T:
    try:
        if call.target is not None:
            return cast("T", call.target.finish())
        if call.answer is NOTHING:
            return cast("T", None)
        return msgspec.json.decode(answered.body, type=call.answer)
    except msgspec.DecodeError as wrong:
        raise AnswerUnreadable(f"{call.method} {call.path}: {wrong}") from None


def _failed(call: Call[Any], outcome: Answered | Fault) -> tuple[float | None, Exception]:
    """Return the seconds after which the call may be tried again (None: never), and the exception to raise if
    it is not tried again.
    """
    if isinstance(outcome, Fault):
        told = f"{call.method} {call.path}: {outcome.message}"
        return None if outcome.is_ours else 0.0, NotAnswered(told, call.key)
    problem = _problem(outcome)
    after = _seconds(outcome.headers.get("retry-after"))
    if problem is None:
        # Answer of an intermediary, which knows no keys and codes.
        refused = _refused(outcome, {"code": "no_problem"}, after, call.key)
        return (after or 0.0) if outcome.status in (408, 429, 500, 502, 503, 504) else None, refused
    refused = _refused(outcome, problem, after, call.key)
    return (after if _may_change(refused) else None), refused


def _may_change(refused: Refused) -> bool:
    """True if the same call can have another answer after `retry_after`."""
    if refused.code in _NEEDS_A_TURN:
        return False
    return (
        refused.status in (408, 429)
        or refused.status >= 500
        or refused.code == "request_in_progress"
    )


def _problem(answered: Answered) -> Mapping[str, Any] | None:
    if not answered.headers.get("content-type", "").startswith(PROBLEM):
        return None
    try:
        found = msgspec.json.decode(answered.body, type=dict[str, Any])
    except msgspec.DecodeError:
        return None
    return found if isinstance(found.get("code"), str) else None


def _refused(
    answered: Answered, problem: Mapping[str, Any], after: float | None, key: str | None
) -> Refused:
    known = {"type", "title", "status", "code", "request_id"}
    headers = answered.headers
    return class_of(answered.status)(
        answered.status,
        problem["code"],
        str(problem.get("title") or answered.body[:200].decode("utf-8", "replace")),
        request_id=problem.get("request_id")
        or headers.get("request-id")
        or headers.get("x-request-id"),
        retry_after=after,
        facts={name: value for name, value in problem.items() if name not in known},
        idempotency_key=key,
    )


def _seconds(text: str | None) -> float | None:
    """Return the seconds of `Retry-After`; None for a date, which no installation sends."""
    return float(text) if text is not None and text.isdecimal() else None


def poll(
    look: Callable[[], Steps[T]],
    is_over: Callable[[T], bool],
    what: str,
    *,
    timeout_seconds: float,
    retrying: Retrying,
) -> Steps[T]:
    """Call `look`, less and less often, until `is_over` is true for its result. Return that result. Raises `StillUnderWay`
    after the time-out.
    """
    ends_at = retrying.clock() + timeout_seconds
    seconds = 0.5
    while True:
        found = yield from look()
        if is_over(found):
            return found
        pause = seconds * (0.9 + 0.2 * retrying.chance())
        if retrying.clock() + pause >= ends_at:
            raise StillUnderWay(what)
        yield Pause(pause)
        seconds = min(5.0, seconds * 1.5)
