"""Search and timelines of the console: finds waiting lines by name, and tells events of a line or an account."""

from collections.abc import Sequence

from meterai import trail
from meterai.kit.ids import show
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows
from meterai.waiting_room import store
from meterai.waiting_room.model import LINE_SUBJECT, NAME_LENGTH_MAX
from meterai.waiting_room.operating import KIND

TOLD_MAX = 50  # greatest number of places, and of turns, on the timeline of an account


async def find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    """Return the `Subject` that names the waiting line with this exact name in the console; none if the line has ended."""
    if len(text) > NAME_LENGTH_MAX or await store.line_named(tx, text) is None:
        return ()
    return [Subject(LINE_SUBJECT.kind, text)]


async def tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    """Return the timeline of a waiting line, with the operators' actions, or the places and used turns of an account."""
    if about.kind == LINE_SUBJECT.kind:
        return await _of_line(tx, about.shown)
    if about.kind != SubjectKind.ACCOUNT or about.account is None:
        return ()
    happenings = []
    for place in await store.account_places(tx, about.account, TOLD_MAX):
        line = Subject(LINE_SUBJECT.kind, place.line)
        facts: dict[str, object] = {"line": place.line, "number": place.number}
        happenings.append(Happening(place.taken_at, "line_place_taken", facts, line))
        if place.told_at is not None:
            happenings.append(Happening(place.told_at, "line_turn_near", facts, line))
    for turn in await store.account_turns(tx, about.account, TOLD_MAX):
        facts = {"line": turn.line, "number": turn.number}
        happenings.append(
            Happening(
                turn.admitted_at, "line_turn_came", facts, Subject(LINE_SUBJECT.kind, turn.line)
            )
        )
    return happenings


async def _of_line(tx: ReadTx, name: str) -> Sequence[Happening]:
    found = await store.line_moments(tx, name)
    if found is None:
        return ()
    lines = await trail.trail_of(tx, show(KIND, found.id))
    moments = (
        (found.created_at, "line_made"),
        (found.opens_at, "line_opens"),
        (found.engaged_at, "line_engaged"),
        (found.closes_at, "line_closes"),
    )
    facts = {"line": name}
    return [*lines, *(Happening(at, word, facts) for at, word in moments if at is not None)]


KNOWS = Knows(find=find, tell=tell)
