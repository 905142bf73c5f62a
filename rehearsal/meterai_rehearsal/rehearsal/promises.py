"""Promises checked during the load and at its end: a promise held, broke, or could not be determined."""

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from meterai_rehearsal.rehearsal.installation import Done
from meterai_rehearsal.rehearsal.observation import Observation
from meterai_rehearsal.rehearsal.plan import CommandPlan, JourneyName, Plan
from meterai_rehearsal.rehearsal.tally import AWAY, CALLED, TAKEN, Counted, Place
from meterai_rehearsal.results import Journey, Promise

AUDIT, NO_ERROR_PAGES = "audit", "no_error_pages"
PAID_BEFORE_UNPAID, NOTHING_LOST = "paid_before_unpaid", "nothing_lost"
ORDER_OF_THE_LINE, SHARE_OF_STRANGERS = "order_of_the_line", "share_of_strangers"
COMMANDS_DONE = "commands_done"
STRANGERS_FACTOR = 2.0  # one network of a hundred has at most two places of a hundred
CALLED_MIN = 100  # of fewer, the share of a hundredth cannot be determined
# The numbers of two processes are in order to within a second; the remainder allows for the delay of an answer, and for the
# longest halt of a process on an overloaded machine.
ORDER_SECONDS = 5.0
ERRORS_MAX = 3.0  # standard errors; one run in a thousand exceeds them by chance
_HELD, _BROKEN = 0, 1  # statuses of `meterai audit`
TEXT_LENGTH_MAX = 500
_PAID = ("money", "paid")
_UNPAID = ("new",)
_STEPS = {"paid": ("stamp", "download", "executed"), "unpaid": ("front",)}

Audit = Callable[[Sequence[str]], Done]  # runs `meterai audit` with further arguments


class _Invariant(msgspec.Struct, frozen=True):
    """One line of an audit."""

    name: str
    broken: int | None = 0


class _Audited(msgspec.Struct, frozen=True):
    """Output of an audit with --json."""

    invariants: tuple[_Invariant, ...]


def _broken_invariants(text: str) -> dict[str, int]:
    """Return the broken invariants of an audit, with counts."""
    try:
        found = msgspec.json.decode(text[: text.rindex("}") + 1], type=_Audited)
    except (msgspec.MsgspecError, ValueError):
        return {}
    return {one.name: one.broken for one in found.invariants if one.broken}


def audited(done: Done, at: float, name: str = AUDIT) -> Promise:
    """Return the result of an audit."""
    if done.status == _HELD:
        return Promise(name, at, held=True, found="every invariant holds")
    if done.status == _BROKEN:
        broken = _broken_invariants(done.text)
        told = ", ".join(f"{one} ({number})" for one, number in broken.items())
        return Promise(name, at, held=False, found=told or done.text[-TEXT_LENGTH_MAX:])
    text = done.text.strip()[-TEXT_LENGTH_MAX:]
    return Promise(name, at, held=None, found=f"status {done.status}: {text}")


def not_audited(at: float) -> Promise:
    """Return the promise of the audit as undetermined, for an installation whose data directory is unknown."""
    return Promise(AUDIT, at, held=None, found="its data directory is not known to this run")


def nothing_lost(done: Done, counted: Counted, at: float) -> Promise:
    """Check that bank, books and documents agree at the end, and that every download began with its original."""
    found = audited(done, at, NOTHING_LOST)
    if counted.stamps_wrong:
        wrong = f"{counted.stamps_wrong} downloads do not begin with their original"
        return msgspec.structs.replace(found, held=False, found=f"{wrong}; {found.found}")
    if found.held:
        text = f"{counted.orders_paid} paid, {counted.stamps} downloaded; the bank's record is ours"
        return msgspec.structs.replace(found, found=text)
    return found


def no_error_pages(counted: Counted, at: float, *, breaks_the_database: bool) -> Promise:
    """Check that nobody saw a 5xx answer. Exceptions are answers of the limiter and, if `breaks_the_database`,
    the page which reports that the database is unavailable.
    """
    away = counted.statuses.get(AWAY, 0)
    wrong = counted.error_pages + (0 if breaks_the_database else away)
    seen = ", ".join(
        f"{one.status} at {one.path} ({one.journey}, {one.at:.1f} s)"
        for one in counted.first_error_pages[:5]
    )
    told = f"{counted.error_pages} error pages, {away} times 'the database is away'"
    return Promise(NO_ERROR_PAGES, at, held=not wrong, found=f"{told}: {seen}" if seen else told)


def commands_done(
    plan: Plan, commanded: Sequence[tuple[CommandPlan, float, Done]], at: float
) -> Promise:
    """Check that every command of the plan was carried out, including the last step of a recovery."""
    told = [
        f"{' '.join(one.words[:2])} at {begun:.0f} s"
        + ("" if done.status == _HELD else f": status {done.status}, {done.text.strip()[-200:]}")
        for one, begun, done in commanded
    ]
    is_whole = len(commanded) == len(plan.commands)
    held = is_whole and all(done.status == _HELD for _, _, done in commanded)
    return Promise(COMMANDS_DONE, at, held=held, found="; ".join(told)[:TEXT_LENGTH_MAX])


def _refused_share(observed: Observation, priorities: Iterable[str]) -> tuple[float, float]:
    """Return the refused requests of these priorities, and all requests of these priorities."""

    def grown(what: str) -> float:
        return sum(observed.grown(f"meterai_limiter_{what}_total", one) for one in priorities)

    refused = grown("refused")
    return refused, refused + grown("in_time") + grown("late")


def _slowest(journeys: Iterable[Journey], names: Sequence[str]) -> float:
    """Return the highest p99 of these steps."""
    found = [step.latency.p99 for one in journeys for step in one.steps if step.name in names]
    return max(found, default=0.0)


def is_more_often(count: float, of: float, other: float, of_other: float) -> bool:
    """True if something happened significantly more often in one group than in another.

    The test compares the difference of both shares with its standard error, so that a single refusal is no proof.
    """
    if not of or not of_other:
        return False
    together = (count + other) / (of + of_other)
    error = math.sqrt(together * (1 - together) * (1 / of + 1 / of_other))
    return count / of - other / of_other > ERRORS_MAX * error


def paid_before_unpaid(observed: Observation, counted: Counted, at: float) -> Promise:
    """Check that, if anybody was refused, visitors who had paid were not refused more often than new visitors."""
    paid, of_paid = _refused_share(observed, _PAID)
    unpaid, of_unpaid = _refused_share(observed, _UNPAID)
    times = {name: _slowest(counted.journeys, steps) for name, steps in _STEPS.items()}
    told = (
        f"refused {paid:.0f} of {of_paid:.0f} that paid, {unpaid:.0f} of {of_unpaid:.0f} newcomers; "
        f"p99 {times['paid']:.2f} s and {times['unpaid']:.2f} s"
    )
    if len(observed.metrics) < 2:
        return Promise(PAID_BEFORE_UNPAID, at, held=None, found="its metrics cannot be reached")
    held = not is_more_often(paid, of_paid, unpaid, of_unpaid)
    return Promise(PAID_BEFORE_UNPAID, at, held=held, found=told)


def overtaken(places: Sequence[Place]) -> int:
    """Count the visitors who asked for a place more than `ORDER_SECONDS` after another visitor had been given a
    higher number: their own number should be higher.

    All places must be of one line.
    """
    found, given = 0, math.inf
    for one in sorted(places, key=lambda place: place.number, reverse=True):
        found += one.asked_at > given + ORDER_SECONDS
        given = min(given, one.given_at)
    return found


def order_of_the_line(counted: Counted, at: float) -> Promise:
    """Check that earlier visitors have lower numbers, and that no number was given twice."""
    lines = sorted({one.line for one in counted.places})
    wrong = twice = 0
    for line in lines:
        places = [one for one in counted.places if one.line == line]
        wrong += overtaken(places)
        twice += len(places) - len({one.number for one in places})
    told = f"{len(counted.places)} places, {wrong} overtaken, {twice} given twice"
    return Promise(ORDER_OF_THE_LINE, at, held=not wrong and not twice, found=told)


def share_of_strangers(plan: Plan, counted: Counted, at: float) -> Promise | None:
    """Check that the networks of programs that grab places get at most twice their fair share of places, which is
    the number of such networks divided by the number of networks of people.

    The share is checked among the taken places that have a number, and among all called places. Return None if the
    plan has no such programs, or no networks of people.
    """
    grabbing = {one.name: one.networks for one in plan.journeys if one.networks}
    strangers = grabbing.pop(JourneyName.GRAB, 0)
    people = sum(grabbing.values())
    if not strangers or not people:
        return None
    most = STRANGERS_FACTOR * strangers / people
    taken, of_taken = _turns(counted, TAKEN)
    called, of_called = _turns(counted, CALLED)
    found = (
        f"{strangers} networks beside {people} of people have {taken} of {of_taken} places taken and "
        f"{called} of {of_called} called; at most {most:.1%} is meant"
    )
    is_within = taken <= most * of_taken and called <= most * of_called
    held = is_within if of_called >= CALLED_MIN else None
    return Promise(SHARE_OF_STRANGERS, at, held=held, found=found)


def _turns(counted: Counted, turn: str) -> tuple[int, int]:
    """Return the number of programs that grab places which came as far in a line as `turn` says, and the number
    of all visitors who did.
    """
    each = {name: n for name, n in counted.turns.items() if name.split("/")[1] == turn}
    grabbed = sum(n for name, n in each.items() if name.startswith(f"{JourneyName.GRAB}/"))
    return grabbed, sum(each.values())
