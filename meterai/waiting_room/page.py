"""The waiting page.  Each variant is rendered once; only the numbers are filled in for each request."""

from datetime import datetime
from functools import lru_cache

from meterai.draw import address_of
from meterai.kit.refusal import Refusal
from meterai.pages import Site, sentence
from meterai.plumbing.config import Settings
from meterai.plumbing.messages import format_datetime, translate
from meterai.waiting_room.estimate import Range
from meterai.waiting_room.model import PATH, LineState, WaitingLine
from meterai.waiting_room.tokens import Ticket

TEMPLATE = "waiting_room/waiting.html"
ENTRY = "waiting_room/entry.html"
REFUSED = "waiting_room/refused.html"
KEPT_MAX = 64  # cached variants; a line has few of them, and an operator's reason changes seldom
_MINUTE, _HOUR = 60, 3600
_IN_MINUTES = 100 * _MINUTE  # longer waits are shown in hours
# Marks the beginning and end of placeholders; no text of ours or of an operator contains this character.
_MARK = "\N{SYMBOL FOR NULL}"


def grouped(number: int, language: str) -> str:
    """Format a number with the thousands separator of a language: 12.345 or 12,345."""
    return f"{number:,}".replace(",", "." if language == "id" else ",")


def waiting_words(shown: Range | None, language: str) -> str:
    """Return a range of waiting time in words, or the text for an unknown time."""
    if shown is None:
        return translate("page.waiting.range_unknown", language)
    low, high = shown
    if high <= _MINUTE:
        return translate("page.waiting.range_soon", language)
    unit, word = (_MINUTE, "minutes") if high <= _IN_MINUTES else (_HOUR, "hours")
    # Rounded up, so that rounding never promises a shorter wait.
    least, most = low // unit, -(-high // unit)
    kind = f"page.waiting.up_to_{word}" if least == 0 else f"page.waiting.range_{word}"
    return translate(kind, language, low=least, high=most)


@lru_cache(maxsize=128)  # formatting a time costs a third as much as the whole page
def _shown_time(at: datetime, language: str) -> str:
    return format_datetime(at, language)


class WaitingPages:
    """Makes waiting pages, as bytes, from cached variants."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self._site = site
        self._settings = settings
        self._made: dict[tuple[object, ...], bytes] = {}
        site.on_show(self._made.clear)

    def of(
        self,
        line: WaitingLine,
        language: str,
        ticket: Ticket | None,
        shown: Range | None,
        there: str,
        again: int,
    ) -> bytes:
        """Return the waiting page for a visitor with this ticket, or without one.

        `shown` is the range of waiting time, `there` the path to which the visitor goes after the line, and `again` the
        seconds until the page asks again.
        """
        is_spaced = ticket is not None and ticket.serial > 0
        ahead = line.places_to(ticket.number, is_spaced=is_spaced) - 1 if ticket else 0
        held = line.held_share
        facts = {
            "number": grouped(ticket.number, language) if ticket else "",
            "ahead": grouped(max(ahead, 0), language),
            "wait": waiting_words(shown, language),
            "held": str(round(100 * held)) if held is not None else "",
            "plain": str(ticket.number) if ticket else "0",
            "spaced": "1" if is_spaced else "",
            "again": str(again),
            "next": _escaped(there),
            "time": _shown_time(line.advanced_at, language),
        }
        look = (ticket is not None, held is not None, ticket is not None and ticket.is_behind)
        page = self._page(line, language, look)
        for name, value in facts.items():
            page = page.replace(f"{_MARK}{name}{_MARK}".encode(), value.encode())
        return page

    def of_entry(
        self, line: WaitingLine, language: str, entry: str, there: str, again: int
    ) -> bytes:
        """Return the page for a visitor who has an entry in the draw.

        `entry` is the public entry in hexadecimal, `there` the path to which the visitor goes after the line, and
        `again` the seconds until the page asks again.
        """
        key = (ENTRY, line.name, line.state, line.opens_at, line.reason(language), language)
        if (made := self._made.get(key)) is None:
            made = self._rendered_entry(line, language)
            if len(self._made) >= KEPT_MAX:
                self._made.clear()
            self._made[key] = made
        facts = {"entry": entry, "again": str(again), "next": _escaped(there)}
        for name, value in facts.items():
            made = made.replace(f"{_MARK}{name}{_MARK}".encode(), value.encode())
        return made

    def _rendered_entry(self, line: WaitingLine, language: str) -> bytes:
        return self._site.render(
            ENTRY,
            language,
            self._settings,
            mark={name: f"{_MARK}{name}{_MARK}" for name in ("entry", "again", "next")},
            path=f"{PATH}/{line.name}",
            files=address_of(PATH, line.name, line.id),
            reason=line.reason(language),
            is_drawing=line.state == LineState.DRAWING,
            opens_at=_told(line.opens_at, language),
        ).encode()

    def _page(self, line: WaitingLine, language: str, look: tuple[bool, bool, bool]) -> bytes:
        reason = line.reason(language)
        of_line = (line.name, line.state, line.is_paused, line.opens_at, line.closes_at)
        key = (*of_line, reason, language, *look)
        if (made := self._made.get(key)) is None:
            made = self._rendered(line, language, reason, look)
            if len(self._made) >= KEPT_MAX:
                self._made.clear()
            self._made[key] = made
        return made

    def _rendered(
        self,
        line: WaitingLine,
        language: str,
        reason: str,
        look: tuple[bool, bool, bool],
    ) -> bytes:
        marks = ("number", "ahead", "wait", "held", "plain", "spaced", "again", "next", "time")
        has_ticket, has_held, is_behind = look
        return self._site.render(
            TEMPLATE,
            language,
            self._settings,
            mark={name: f"{_MARK}{name}{_MARK}" for name in marks},
            line=line,
            path=f"{PATH}/{line.name}",
            reason=reason,
            has_ticket=has_ticket,
            has_held=has_held,
            is_behind=is_behind,
            is_open=line.state in (LineState.OPEN, LineState.CLOSING),
            is_drawing=line.state == LineState.DRAWING,
            opens_at=_told(line.opens_at, language),
            closes_at=_told(line.closes_at, language),
        ).encode()

    def refused(self, refusal: Refusal, language: str) -> bytes:
        """Return the page for a visitor who cannot be given a place now; the page reloads itself."""
        return self._site.render(
            REFUSED, language, self._settings, text=sentence(refusal, language)
        ).encode()


def _told(at: datetime | None, language: str) -> str:
    return format_datetime(at, language) if at else ""


def _escaped(path: str) -> str:
    """Percent-encode a path, as the value of a query field within an HTML attribute."""
    safe = "/-_.~"
    return "".join(
        letter if letter.isalnum() or letter in safe else f"%{ord(letter):02X}" for letter in path
    )
