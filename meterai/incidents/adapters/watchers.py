"""Client of watchers: fetches the signed states that each watcher measures, and the notes that staff typed at the watchers.

Each watcher publishes its states and its notes as two signed documents.  A document counts only if the watcher's key signed it,
its time is at most `FRESH` from now and it is about this installation.  A watcher that lies, stalls or sends endless data has
no effect on the others.  If a document has a value that `_WatcherNow` or `_Notes` does not allow, the whole document is
rejected.  Otherwise the value could fail later, in PostgreSQL or in a comparison of times.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import aiohttp
import msgspec
import structlog

from meterai.incidents.agreeing import MeasuredState
from meterai.incidents.model import WORDS_LENGTH_MAX, IncidentNote
from meterai.kit.components import Component, ComponentState
from meterai.kit.text import lines_of_text, one_line
from meterai.plumbing.readings import Watcher
from meterai.plumbing.signed import read_signed
from meterai.plumbing.work.outgoing import NotBegun, Outgoing

NOW, NOTES = "meterai watch now", "meterai watch notes"  # kinds of signed documents
ANSWER_BYTES_MAX = (
    256 * 1024
)  # the notes of a night; a document of states has about two thousand bytes
ANSWER_SECONDS_MAX = 5.0
FRESH = timedelta(
    seconds=90
)  # a watcher writes every ten seconds; older documents, and those from the future, do not count
NOTES_MAX = 50  # of one watcher
FAULTS_MAX = 20  # of one component; our watchers name four
YEARS = range(2000, 2200)  # valid in PostgreSQL and in every time zone
_SILENCE = (aiohttp.ClientError, TimeoutError, OSError)
_Label = Annotated[str, msgspec.Meta(max_length=40)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Fault = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,60}\Z")]
_NoteId = (
    Annotated[int, msgspec.Meta(ge=0, lt=10**15)]
    | Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,40}\Z")]
)
_log = structlog.get_logger()


class _Timed(msgspec.Struct, frozen=True):
    def __post_init__(self) -> None:
        for value in msgspec.structs.astuple(self):
            if isinstance(value, datetime) and value.year not in YEARS:
                raise ValueError(f"a time of the year {value.year}, which cannot be")


class _State(_Timed, frozen=True):
    own: _Label | None
    since: _Moment  # since when the agreed state lasts
    agreed: _Label | None = None
    faults: Annotated[Sequence[_Fault], msgspec.Meta(max_length=FAULTS_MAX)] = ()


class _WatcherNow(_Timed, frozen=True):
    watcher: str
    installation: str
    at: _Moment
    components: Mapping[Component, _State]


class _Text(msgspec.Struct, frozen=True):
    id: str
    en: str


class _Note(_Timed, frozen=True):
    id: _NoteId
    at: _Moment
    component: Component
    text: _Text


class _Notes(_Timed, frozen=True):
    watcher: str
    installation: str
    at: _Moment
    notes: Annotated[Sequence[_Note], msgspec.Meta(max_length=NOTES_MAX)]


_Facts = TypeVar("_Facts", _WatcherNow, _Notes)


class _WatcherClient:
    """Client of one watcher; logs one event when it fails, and one when it answers again."""

    def __init__(self, watcher: Watcher, installation: str) -> None:
        self.watcher = watcher
        self._installation = installation
        self._outgoing = Outgoing("watcher", *_SILENCE)
        self._fails = False

    async def ask(
        self, session: aiohttp.ClientSession, now: datetime
    ) -> tuple[Mapping[Component, MeasuredState], Sequence[IncidentNote]]:
        """Return the states that the watcher measures, and its notes; both empty if it gives no valid answer."""
        try:
            said = await self._document(session, "now.json", NOW, _WatcherNow, now)
            notes = await self._document(session, "notes.json", NOTES, _Notes, now)
            found = {
                component: MeasuredState(
                    ComponentState.of(one.own),
                    one.since if one.agreed == one.own else said.at,
                    tuple(one.faults),
                )
                for component, one in said.components.items()
                if one.own is not None
            }
        except NotBegun:
            return {}, ()
        except Exception as error:  # boundary: a failing watcher only loses its own vote
            if not self._fails:
                self._fails = True
                fault = one_line(repr(error))[:300]
                _log.warning("watcher_not_believed", watcher=self.watcher.name, fault=fault)
            return {}, ()
        if self._fails:
            self._fails = False
            _log.info("watcher_believed", watcher=self.watcher.name)
        return found, [self._note(one) for one in notes.notes]

    def _note(self, one: _Note) -> IncidentNote:
        text = {
            language: lines_of_text(words)[:WORDS_LENGTH_MAX]
            for language, words in (("id", one.text.id), ("en", one.text.en))
        }
        return IncidentNote(f"{self.watcher.name}:{one.id}", one.at, one.component, text)

    async def _document(
        self,
        session: aiohttp.ClientSession,
        name: str,
        kind: str,
        shape: type[_Facts],
        now: datetime,
    ) -> _Facts:
        with self._outgoing.call():
            async with session.get(f"{self.watcher.url}/{name}", allow_redirects=False) as response:
                if response.status != 200:
                    raise ValueError(f"{name} is answered with {response.status}")
                answer = await _bounded(response.content)
        facts = msgspec.convert(read_signed(answer, kind, self.watcher.public_key), shape)
        if facts.watcher != self.watcher.name or facts.installation != self._installation:
            raise ValueError(f"{name} is of {facts.watcher}, about {facts.installation}")
        if not now - FRESH <= facts.at <= now + FRESH:
            raise ValueError(f"{name} is of {facts.at.isoformat()}")
        return facts


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """Read the whole body of an answer.  Raises `ValueError` if it has more than `ANSWER_BYTES_MAX` bytes."""
    try:
        await content.readexactly(ANSWER_BYTES_MAX + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    raise ValueError("the answer is too long")


class Watchers:
    """Clients of all watchers of an installation."""

    def __init__(self, watchers: Sequence[Watcher], installation: str) -> None:
        self._places = [_WatcherClient(one, installation.rstrip("/")) for one in watchers]

    @property
    def count(self) -> int:
        """Number of watchers."""
        return len(self._places)

    async def ask(
        self, now: datetime
    ) -> tuple[Sequence[Mapping[Component, MeasuredState]], Sequence[IncidentNote]]:
        """Return the states of components as each watcher measures them, and the notes of all watchers."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            answers = await asyncio.gather(*(place.ask(session, now) for place in self._places))
        return [said for said, _ in answers], [note for _, notes in answers for note in notes]
