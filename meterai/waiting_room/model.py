"""Waiting lines, places and turns: types, lifecycle, refusals.  No input or output."""

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
REASON_LENGTH_MAX = 200  # characters, keeps the page small
RATE_MIN = 0.05  # admissions a second: one in twenty seconds; a lower rate would be a pause
RATE_MAX = 10_000.0  # admissions a second
SIGNATURES = "waiting room signatures"  # purpose from which the signing key of lines is derived
PATH = "/lines"  # URL path of the pages
# Life of a turn since its last use, and since its beginning.  A form with three documents on a slow phone takes some
# minutes; a turn that is held longer keeps other visitors waiting.
TURN_SECONDS = 900
TURN_SECONDS_MAX = 7_200
# Longest life of an early turn, so that a visitor who came before a line was engaged can finish.
EARLY_SECONDS_MAX = 1_800
BROWSER_HOLDS_SECONDS = 30 * 86_400  # life of a ticket cookie; a ticket itself does not expire


class GuardedAct(StrEnum):
    """Act that a waiting line can guard."""

    BUY = "buy"  # orders of stamps, or of documents to be stamped
    CHECK = "check"  # verification of documents


@dataclass(frozen=True, slots=True)
class Guarded:
    """Declares that a waiting line guards a route (`opt={"guarded": ...}`).

    is_entrance  True if a visitor without a turn is redirected into the line before the route runs;
                 False if the route itself calls `check_turn`
    """

    act: GuardedAct
    is_entrance: bool = True


class LineState(StrEnum):
    """State of a waiting line."""

    PLANNED = "planned"  # opens later
    GATHERING = "gathering"  # before the opening; each visitor who comes gets an entry in the draw
    DRAWING = "drawing"  # the list of entries is closed, and their order is being drawn
    OPEN = "open"
    CLOSING = "closing"  # no new places are given; places taken before are served
    ENDED = "ended"


class LineEvent(StrEnum):
    """Event that changes the state of a waiting line."""

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
        # An operator may end a line in any state; the guarded act is free again.
        (LineState.PLANNED, LineEvent.ENDS): LineState.ENDED,
        (LineState.GATHERING, LineEvent.ENDS): LineState.ENDED,
        (LineState.DRAWING, LineEvent.ENDS): LineState.ENDED,
        (LineState.OPEN, LineEvent.ENDS): LineState.ENDED,
    },
)


class Policy(StrEnum):
    """Policy by which the admission rate of a waiting line is set."""

    MEASURED = "measured"  # as many as the platform can serve, by measurements of load
    FIXED = "fixed"  # set by the operator


class LineMoments(NamedTuple):
    """Times of a waiting line, for its timeline in the console."""

    id: UUID
    created_at: datetime
    opens_at: datetime | None
    engaged_at: datetime | None
    closes_at: datetime | None


class AccountPlace(NamedTuple):
    """Place that an account keeps, with the name of its waiting line.

    `told_at` is the time at which a mail told the account that its turn is near; None if no mail was sent.
    """

    line: str
    number: int
    taken_at: datetime
    told_at: datetime | None


class AccountTurn(NamedTuple):
    """Turn that an account used, with the name of its waiting line."""

    line: str
    number: int
    admitted_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """State of a waiting line, read from its row; the copy that a web process has is some seconds old at most.

    serving       the highest number called
    next_number   the first number that nobody has
    rate          aimed admissions a second
    flow_fast, flow_slow  places called a second, over the last minute and the last ten minutes
    spaced        counts of spaced places, by the numbers with which they are called
    spread        factor by which the shown range of waiting time is widened at both ends
    is_engaged    True if visitors without a turn must wait
    held_share    share of recent waits that ended within the shown range; None before the first wait ended
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
        """Number of places in the line that wait to be called."""
        spaced = sum(crowd.between(self.serving, crowd.last) for crowd in self.spaced)
        return max(0, self.next_number - 1 - self.serving) + ceil(spaced)

    def places_to(self, number: int, *, is_spaced: bool = False) -> int:
        """Return how many places are called from now until this number is called, inclusive.

        The result is below 1 if the number is called already.  The number of a spaced place may not be given to anybody yet;
        any other number was given, even if this process does not know it yet.
        """
        if number <= self.serving:
            return number - self.serving
        last = self.next_number - 1 if is_spaced else number
        return places_to(number, self.serving, last, self.spaced)

    @property
    def stands_in_the_way(self) -> bool:
        """True if a visitor without a turn must wait, since the line is engaged and has not ended."""
        return self.is_engaged and self.state != LineState.ENDED

    def reason(self, language: str) -> str:
        """Return the operator's reason for a pause in a language, empty if none is set."""
        return self.reason_en if language == "en" else self.reason_id


# -- refusals ------------------------------------------------------------------------------


class NotLetIn(Refusal):
    """Base of refusals that send the visitor into a waiting line."""

    def __init__(self, line: str, found: str = "") -> None:
        super().__init__(f"{found or 'no turn'} of {line}")
        self.line = line


class WaitInLine(NotLetIn):
    """An engaged waiting line guards the act, and the visitor has no turn.  `join` is the path of the line's page."""

    code = "wait_in_line"
    status = 503
    retry_after_seconds = 30

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.join = f"{PATH}/{line}"

    def join_for(self, there: str) -> str:
        """Return the path of the waiting line's page, with the local path to which the visitor goes after the line."""
        return f"{self.join}?{urlencode({'next': there})}"


class TurnNotYours(NotLetIn):
    """The turn cannot be used by this account.

    Either another account has used it, or the account had two turns at once and used the other, which has expired since.
    """

    code = "turn_not_yours"
    status = 403


class TurnOver(NotLetIn):
    """The turn of this number was used or has expired, so the visitor needs a new place."""

    code = "turn_over"
    status = 409


class TooManyPlaces(Refusal):
    """The visitor's network has taken too many new places in a short time."""

    code = "too_many_places"
    status = 503
    retry_after_seconds = 10


class TicketInvalid(Refusal):
    """The text is not a ticket that we signed, or it is a ticket of another waiting line."""

    code = "ticket_invalid"
    status = 400


class LineUnknown(Refusal):
    """No waiting line has this name, or the line has ended."""

    code = "line_unknown"
    status = 404


class LineClosed(Refusal):
    """The waiting line takes no new places."""

    code = "line_closed"
    status = 409


class LineExists(Refusal):
    """A waiting line of this name, or another line that guards the same act, exists already."""

    code = "line_exists"
    status = 409


class NumberNotServed(Refusal):
    """The number of the ticket has not been called yet."""

    code = "number_not_served"
    status = 503
    retry_after_seconds = 5


refusal_of_constraint("line_name_is_taken_once", LineExists)
refusal_of_constraint("line_guards_alone", LineExists)


# -- checks of an operator's input --------------------------------------------------------------


def is_line_name(text: str) -> bool:
    """True if the text is a valid name of a waiting line."""
    fits = text.isascii() and text.replace("-", "").isalnum() and text == text.lower()
    return fits and 1 <= len(text) <= NAME_LENGTH_MAX and text[0] != "-"


def line_name(text: str) -> str:
    """Check and return the name of a waiting line: lower-case letters, digits and hyphens.  Refuses `Malformed`."""
    if not is_line_name(text):
        raise Malformed("name", "line_name", maximum=NAME_LENGTH_MAX)
    return text


def admission_rate(per_second: float) -> float:
    """Check and return an admission rate, in people a second.  Refuses `Malformed`, also for NaN."""
    if not RATE_MIN <= per_second <= RATE_MAX:  # false for NaN
        raise Malformed("rate", "line_rate", minimum=RATE_MIN, maximum=RATE_MAX)
    return per_second


def reason_text(text: str, field: str) -> str:
    """Check and return an operator's reason, which pages show.  Refuses `Malformed`."""
    if len(text) > REASON_LENGTH_MAX or not text.isprintable():
        raise Malformed(field, "line_reason", maximum=REASON_LENGTH_MAX)
    return text


def check_times(
    gathers_at: datetime | None, opens_at: datetime | None, closes_at: datetime | None
) -> None:
    """Check that the times of a waiting line are in order.  Refuses `Malformed`."""
    if gathers_at and not opens_at:
        raise Malformed("opens_at", "line_times")
    times = [at for at in (gathers_at, opens_at, closes_at) if at is not None]
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise Malformed("opens_at" if gathers_at else "closes_at", "line_times")
