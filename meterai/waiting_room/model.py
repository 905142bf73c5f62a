"""Lines, places, turns: types, lifecycle, refusals; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import ceil
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from meterai.kit.lifecycle import Lifecycle
from meterai.kit.refusal import Malformed, Refusal, refusal_of_constraint
from meterai.kit.subjects import SubjectSort
from meterai.waiting_room.crowds import Crowd, places_to

LINE_SUBJECT = SubjectSort("line")

NAME_LENGTH_MAX = 40
REASON_LENGTH_MAX = 200  # characters, so that the page stays small
RATE_MIN = 0.05  # admissions a second: one in twenty seconds; less is a pause
RATE_MAX = 10_000.0
SIGNATURES = "waiting room signatures"  # the key of what lines sign is derived for it
PATH = "/lines"  # of the pages
# A turn lasts so long from its last use, and so long in all: a form with three documents on a slow
# phone takes some minutes, and whoever holds a turn holds somebody else's.
TURN_SECONDS = 900
TURN_SECONDS_MAX = 7_200
# Who was inside before a line stood in the way finishes what was begun.
EARLY_SECONDS_MAX = 1_800
BROWSER_HOLDS_SECONDS = 30 * 86_400  # a ticket outlives the line; a browser gives it up then


class GuardedAct(StrEnum):
    """What a line can stand before."""

    BUY = "buy"  # orders of stamps, or of documents to be stamped
    CHECK = "check"  # is this document genuine?


@dataclass(frozen=True, slots=True)
class Guarded:
    """How a route stands behind a line (`opt={"guarded": ...}`).

    is_entrance  a visitor without a turn is sent into the line before the route is asked; else the
                 route itself calls `check_turn` where it comes to the act
    """

    act: GuardedAct
    is_entrance: bool = True


class LineState(StrEnum):
    """Where a line is in its life."""

    PLANNED = "planned"  # opens later
    GATHERING = "gathering"  # before the opening; who comes has an entry in the draw
    DRAWING = "drawing"  # entries are closed, their order is being drawn
    OPEN = "open"
    CLOSING = "closing"  # no new places; those taken in time are served
    ENDED = "ended"


class LineEvent(StrEnum):
    """What can happen to a line."""

    GATHERS = "gathers"
    ENTRIES_CLOSE = "entries_close"
    OPENS = "opens"
    CLOSES = "closes"
    ENDS = "ends"


LINE = Lifecycle(
    "line",
    {
        (LineState.PLANNED, LineEvent.GATHERS): LineState.GATHERING,
        (LineState.PLANNED, LineEvent.OPENS): LineState.OPEN,
        (LineState.GATHERING, LineEvent.ENTRIES_CLOSE): LineState.DRAWING,
        (LineState.DRAWING, LineEvent.OPENS): LineState.OPEN,
        (LineState.OPEN, LineEvent.CLOSES): LineState.CLOSING,
        (LineState.CLOSING, LineEvent.ENDS): LineState.ENDED,
        # An operator gives a line up, whatever it came to: what it guarded is free again.
        (LineState.PLANNED, LineEvent.ENDS): LineState.ENDED,
        (LineState.GATHERING, LineEvent.ENDS): LineState.ENDED,
        (LineState.DRAWING, LineEvent.ENDS): LineState.ENDED,
        (LineState.OPEN, LineEvent.ENDS): LineState.ENDED,
    },
)


class Policy(StrEnum):
    """How the rate of a line is set."""

    MEASURED = "measured"  # by what the platform can serve
    FIXED = "fixed"  # by the operator


class LineMoments(NamedTuple):
    """Moments of a line."""

    id: UUID
    created_at: datetime
    opens_at: datetime | None
    engaged_at: datetime | None
    closes_at: datetime | None


class PlaceTold(NamedTuple):
    """A place that an account keeps, by the name of its line."""

    line: str
    number: int
    taken_at: datetime
    told_at: datetime | None


class TurnTold(NamedTuple):
    """A turn that an account used, by the name of its line."""

    line: str
    number: int
    admitted_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """A line as every process sees it, some seconds old at most.

    serving       the highest number whose turn has come
    next_number   the first that nobody has
    rate          admissions aimed at, a second
    flow_fast, flow_slow  places called a second, over the last minute and the last ten
    spaced        places that have no number of their own, by the numbers with which they are called
    spread        the range of waiting time that is shown: from middle / spread to middle * spread
    is_engaged    whether it stands in the way; one that is not lets everybody pass
    held_share    of the last waits, how many were within what was shown; None while there are few
    """

    id: UUID
    name: str
    act: GuardedAct
    state: LineState
    is_automatic: bool
    is_engaged: bool
    is_paused: bool
    policy: Policy
    rate: float
    rate_max: float
    serving: int
    next_number: int
    flow_fast: float
    flow_slow: float
    spread: float
    held_share: float | None
    reason_id: str
    reason_en: str
    gathers_at: datetime | None
    opens_at: datetime | None
    closes_at: datetime | None
    advanced_at: datetime
    document: str
    spaced: Sequence[Crowd]

    @property
    def waiting(self) -> int:
        """Places whose turn has not come."""
        spaced = sum(crowd.between(self.serving, crowd.last) for crowd in self.spaced)
        return max(0, self.next_number - 1 - self.serving) + ceil(spaced)

    def places_to(self, number: int, *, is_spaced: bool = False) -> int:
        """The places that are called until this number is, that of who has it included; below 1 where it was.

        A spaced place may be called with a number that nobody has yet; any other number was given, also where it
        is not seen here yet.
        """
        if number <= self.serving:
            return number - self.serving
        last = self.next_number - 1 if is_spaced else number
        return places_to(number, self.serving, last, self.spaced)

    @property
    def stands_in_the_way(self) -> bool:
        """True where who has no turn must wait."""
        return self.is_engaged and self.state != LineState.ENDED

    def reason(self, language: str) -> str:
        """Why it is as it is, in the operator's words; empty where nothing was said."""
        return self.reason_en if language == "en" else self.reason_id


# -- refusals ------------------------------------------------------------------------------


class NotLetIn(Refusal):
    """Who asks does not come in by what they show, and goes on in a line."""

    def __init__(self, line: str, found: str = "") -> None:
        super().__init__(f"{found or 'no turn'} of {line}")
        self.line = line


class WaitInLine(NotLetIn):
    """There is a line for this, and the turn of whoever asks has not come.  `join` is its page."""

    code = "wait_in_line"
    status = 503
    retry_after_seconds = 30

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.join = f"{PATH}/{line}"

    def join_for(self, there: str) -> str:
        """The page of the line, for who then goes on to a path of ours."""
        return f"{self.join}?{urlencode({'next': there})}"


class TurnNotYours(NotLetIn):
    """This turn was used by another account, or this account waited for another at the same time, which is
    over."""

    code = "turn_not_yours"
    status = 403


class TurnOver(NotLetIn):
    """The turn of this number was used, or its time is over: a new place is needed."""

    code = "turn_over"
    status = 409


class TooManyPlaces(Refusal):
    """The network of whoever asks has taken as many new places as it may for now."""

    code = "too_many_places"
    status = 503
    retry_after_seconds = 10


class TicketInvalid(Refusal):
    """It is no ticket of ours, or one of another line."""

    code = "ticket_invalid"
    status = 400


class LineUnknown(Refusal):
    """There is no line of this name, or it has ended."""

    code = "line_unknown"
    status = 404


class LineClosed(Refusal):
    """The line takes no new places."""

    code = "line_closed"
    status = 409


class LineExists(Refusal):
    """A line of this name, or one before the same act, is there already."""

    code = "line_exists"
    status = 409


class NumberNotServed(Refusal):
    """The turn of this number has not come."""

    code = "number_not_served"
    status = 503
    retry_after_seconds = 5


refusal_of_constraint("line_name_is_taken_once", LineExists)
refusal_of_constraint("line_guards_alone", LineExists)


# -- what an operator may say --------------------------------------------------------------


def is_line_name(text: str) -> bool:
    """True for what a line can be called."""
    fits = text.isascii() and text.replace("-", "").isalnum() and text == text.lower()
    return fits and 1 <= len(text) <= NAME_LENGTH_MAX and text[0] != "-"


def line_name(text: str) -> str:
    """The name of a line: small letters, digits and hyphens.  Refuses `Malformed`."""
    if not is_line_name(text):
        raise Malformed("name", "line_name", maximum=NAME_LENGTH_MAX)
    return text


def admission_rate(per_second: float) -> float:
    """A rate that a line can have.  Refuses `Malformed`, also for what is no number."""
    if not RATE_MIN <= per_second <= RATE_MAX:  # false for NaN
        raise Malformed("rate", "line_rate", minimum=RATE_MIN, maximum=RATE_MAX)
    return per_second


def reason_text(text: str, field: str) -> str:
    """What the page tells.  Refuses `Malformed`."""
    if len(text) > REASON_LENGTH_MAX or not text.isprintable():
        raise Malformed(field, "line_reason", maximum=REASON_LENGTH_MAX)
    return text


def check_times(
    gathers_at: datetime | None, opens_at: datetime | None, closes_at: datetime | None
) -> None:
    """Refuses `Malformed` where the times of a line are not in their order."""
    if gathers_at and not opens_at:
        raise Malformed("opens_at", "line_times")
    told = [at for at in (gathers_at, opens_at, closes_at) if at is not None]
    if any(later <= earlier for earlier, later in pairwise(told)):
        raise Malformed("opens_at" if gathers_at else "closes_at", "line_times")
