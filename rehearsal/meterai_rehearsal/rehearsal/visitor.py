"""Visitor: a browser on a device, which follows links and forms of pages, retries when told to, and has limited
patience with each step.

The latency of a step counts from its intended time: for the first step the intended arrival, for each further step the
moment at which the visitor, after a pause, would have acted. The step ends with the wanted page, so a wait because of a
refusal counts.
"""

import asyncio
import random  # noqa: TID251 - a seeded one is passed in
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from meterai.kit.numbers import counted
from meterai.plumbing.messages import translate
from meterai_rehearsal.clients import connection
from meterai_rehearsal.clients.connection import (
    Answer,
    Connection,
    Network,
    Traffic,
)
from meterai_rehearsal.clients.pages import Form, NotOnPage, Page
from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.clients.wire import ConnectionLost
from meterai_rehearsal.losses import LOST
from meterai_rehearsal.rehearsal.plan import Bounds, Device
from meterai_rehearsal.rehearsal.tally import AWAY, BUSY, JourneyTally, StepTally, Tally
from meterai_rehearsal.results import ErrorPage

REDIRECTS_MAX = 10
RELOAD_AFTER_SECONDS = 2.0  # wait of impatient visitors before they reload a page
RELOADS_MAX = 3
CUT_WITHIN_SECONDS = 0.1  # a request is aborted at a random moment within this time of sending
AGAIN_AFTER_LOSS_SECONDS = 1.0
IGNORING_SECONDS = 0.3  # pause of visitors who ignore Retry-After
RETRY_SECONDS_MIN = 1.0
SHOWN_LENGTH_MAX = 200  # characters kept of an error page
GAVE_UP, CONNECTION_LOST = "gave_up", "connection_lost"
_UNAVAILABLE = 503
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_AWAY_CODES = frozenset({"database_away", "database_unreachable"})


class StepFailed(Exception):
    """A step did not end as the journey needs; failures are counted by the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class World:
    """Shared state of all visitors of a process."""

    site: Site
    bounds: Bounds
    tally: Tally
    begins: float  # of the run, by the clock that all processes of a machine share
    original: Callable[[random.Random], bytes]  # makes a unique document
    bank: Site | None = None
    mail: Site | None = None
    stamped: list[bytes] = field(default_factory=list)  # some stamped documents
    mark: str = ""  # of the run: distinguishes mail addresses and documents of two runs
    standin_traffic: Traffic = field(default_factory=Traffic)  # not traffic of the installation

    def now(self) -> float:
        """Return the seconds since the beginning of the run."""
        return monotonic() - self.begins


class Visitor:
    """One visitor. `intended` is the time of its arrival, in seconds from the beginning; `network` is its shared
    address, if it has one.
    """

    def __init__(
        self,
        world: World,
        journey: JourneyTally,
        device: Device,
        drawing: random.Random,
        intended: float,
        network: str = "",
    ) -> None:
        self.world = world
        self.drawing = drawing
        # Random numbers that no other visitor uses, of this run or another with the same seed.
        self.alone = random.Random(f"{world.mark}/{drawing.getrandbits(64)}")  # noqa: S311 - nothing secret
        self.thought = 0.0  # seconds of pauses so far
        self.asked_at = 0.0  # time of the last request
        self._journey = journey
        self._device = device
        self._link = Network(device.latency_seconds, device.bytes_per_second)
        address = connection.address_alone(drawing.getrandbits(23))
        can_choose = connection.can_choose_address(world.site)
        self._source = (network or address) if can_choose else None
        # Address that several visitors share; empty if each has its own, or none can be chosen.
        self._network = network if can_choose else ""
        self._turn = ""
        self._told = ""  # reason why the latest request of the step failed: busy, away, lost
        self._intended = intended
        self._cookies: dict[str, str] = {}
        self._connection: Connection | None = None
        self._step: StepTally | None = None
        self.page = Page("/", 0, {}, b"")

    # -- steps -------------------------------------------------------------------------------

    @asynccontextmanager
    async def step(self, name: str, patience: float = 0.0) -> AsyncIterator[None]:
        """Run one step of the journey, and count its outcome. Raises `StepFailed` with the name of the step before the
        reason.
        """
        tally = self._step = self._journey.step(name)
        tally.started += 1
        self._told = ""
        try:
            async with asyncio.timeout(patience or self.world.bounds.patience_seconds):
                yield
        except TimeoutError:
            raise self._fail_step(name, self._told or GAVE_UP) from None
        except StepFailed as failed:
            raise self._fail_step(name, failed.reason) from None
        except NotOnPage:
            raise self._fail_step(name, self._why_not()) from None
        ended = self.world.now()
        tally.finished += 1
        tally.latency.record(ended - self._intended)
        self.world.tally.count(f"ended/{tally.name}", ended)
        self.world.tally.count(f"took/{tally.name}", ended, ended - self._intended)
        pause = self._pause()
        self.thought += pause
        self._intended = ended + pause
        if pause:
            await asyncio.sleep(pause)

    def _pause(self) -> float:
        mean = self.world.bounds.think_seconds
        return self.drawing.expovariate(1 / mean) if mean else 0.0

    def _fail_step(self, step: str, reason: str) -> StepFailed:
        assert self._step is not None
        self._step.failed[reason] += 1
        now = self.world.now()
        self.world.tally.count("failed", now)
        self.world.tally.count(f"{LOST}/{self._step.name}: {reason}", now)
        return StepFailed(f"{step}: {reason}")

    def _why_not(self) -> str:
        """Return the reason why the page is not the wanted page, as far as the page shows it."""
        if self.page.status >= 400:
            return f"status_{self.page.status}"
        return "another_page"

    # -- acts -------------------------------------------------------------------------------

    async def get(self, path: str) -> Page:
        """Open a page. Raises `StepFailed`."""
        return await self._navigate("GET", path, "", b"")

    async def follow(self, pattern: str) -> Page:
        """Follow the matching link on the page. Raises `StepFailed`, `NotOnPage`."""
        return await self.get(self.page.link(pattern))

    async def submit(
        self,
        form: Form,
        file: tuple[str, bytes] | None = None,
        *,
        pressed: tuple[str, str] | None = None,
        **values: str,
    ) -> Page:
        """Send a form of the page. Raises `StepFailed`, `NotOnPage`."""
        kind, body = form.filled(values, file, pressed)
        twice = self.drawing.random() < self._device.double_clicks
        return await self._navigate("POST", form.action, kind, body, twice=twice)

    async def fetch(self, path: str, **headers: str) -> Page:
        """Make a request that leaves the page open, like a script or a download does. Raises `StepFailed`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._until_answered(
            lambda: self._send_normally(self._request("GET", path, "", b"", given)), path
        )
        return Page(path, answer.status, answer.headers, answer.body)

    async def _navigate(
        self, method: str, path: str, kind: str, body: bytes, *, twice: bool = False
    ) -> Page:
        for _ in range(REDIRECTS_MAX):
            sent = self._request(method, path, kind, body, {})
            looks = method == "GET"
            answer = await self._until_answered(lambda: self._send_as(sent, twice, looks), path)  # noqa: B023
            if answer.status not in _REDIRECT:
                self.page = Page(path, answer.status, answer.headers, answer.body)
                return self.page
            path = _local(answer.headers.get("location", "/"))
            method, kind, body, twice = "GET", "", b"", False
        raise StepFailed("redirected_for_ever")

    def _request(
        self, method: str, path: str, kind: str, body: bytes, more: dict[str, str]
    ) -> bytes:
        headers = {"Accept": "text/html,*/*", "Accept-Language": "id", **more}
        if self._cookies:
            headers["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in self._cookies.items()
            )
        if kind:
            headers |= {"Content-Type": kind, "Origin": self.world.site.url}
        return connection.request(self.world.site, method, path, headers, body)

    # -- sending -----------------------------------------------------------------------------

    async def _until_answered(self, send: Callable[[], Awaitable[Answer]], path: str) -> Answer:
        """Send a request until its answer is not a temporary refusal. Raises `StepFailed` for an error page."""
        while True:
            try:
                answer = await send()
            except ConnectionLost:
                self._told = CONNECTION_LOST
                self.world.tally.answered(CONNECTION_LOST, self.world.now())
                await asyncio.sleep(AGAIN_AFTER_LOSS_SECONDS * (0.5 + self.drawing.random()))
                continue
            self._keep_cookies(answer.cookies)
            label = label_of(answer)
            self.world.tally.answered(label, self.world.now())
            if answer.status >= 500 and label not in (BUSY, AWAY):
                self._show_error(answer, path)
            self._told = label if label in (BUSY, AWAY) else ""
            if answer.status < 500:
                return answer
            if "retry-after" not in answer.headers:
                raise StepFailed(f"status_{answer.status}")
            assert self._step is not None
            self._step.refused += 1
            await asyncio.sleep(self._retry_seconds(answer))

    def _retry_seconds(self, answer: Answer) -> float:
        if self._device.ignores_retry_after:
            return IGNORING_SECONDS
        told = counted(answer.headers.get("retry-after", ""))
        return max(float(told or 0), RETRY_SECONDS_MIN)

    def _show_error(self, answer: Answer, path: str) -> None:
        page = Page(path, answer.status, answer.headers, answer.body)
        step = self._step.name.partition(".")[2] if self._step else ""
        begins = (page.title or page.text)[:SHOWN_LENGTH_MAX]
        self.world.tally.error_page(
            ErrorPage(
                self.world.now(),
                self._journey.name,
                step,
                answer.status,
                path.partition("?")[0],
                begins,
            )
        )

    async def _send_as(self, sent: bytes, twice: bool, looks: bool) -> Answer:  # noqa: FBT001
        """Send a request as this device does: aborted and sent again, twice at once, reloaded, or normally."""
        if self._device.drops and self.drawing.random() < self._device.drops:
            await self._cut(sent)
        if twice:
            return await self._send_twice(sent)
        if looks and self._device.reloads and self.drawing.random() < self._device.reloads:
            return await self._reloading(sent)
        return await self._send_normally(sent)

    async def _send_normally(self, sent: bytes) -> Answer:
        """Send a request over the existing connection, or over a new connection."""
        for _ in range(2):
            held = await self._connected()
            self.asked_at = self.world.now()
            self.world.tally.count("requests", self.asked_at)
            try:
                answer = await held.ask(sent)
            except ConnectionLost as lost:
                self._drop()
                if not lost.was_idle:
                    raise
            except BaseException:
                self._drop()  # cancelled: nobody waits for the answer
                raise
            else:
                if self._device.new_connections:
                    self._drop()
                return answer
        raise ConnectionLost("it ended twice")

    async def _cut(self, sent: bytes) -> None:
        held = await self._connected()
        self.world.tally.count("requests", self.world.now())
        self.world.tally.answered("cut_by_visitor", self.world.now())
        with suppress(ConnectionLost):
            await held.cut(sent, self.drawing.random() * CUT_WITHIN_SECONDS)
        self._drop()

    async def _send_twice(self, sent: bytes) -> Answer:
        """Send a request twice, as browsers do on a double click: the first is aborted, and the answer to the second is
        shown.
        """
        first = await self._connected()
        self._connection = None
        self.world.tally.count("requests", self.world.now())
        clicked = asyncio.ensure_future(first.cut(sent, RELOAD_AFTER_SECONDS))
        try:
            await asyncio.sleep(0)  # lets the first request be sent
            return await self._send_normally(sent)
        finally:
            clicked.cancel()
            first.abort()
            with suppress(asyncio.CancelledError, ConnectionLost):
                await clicked

    async def _reloading(self, sent: bytes) -> Answer:
        """Reload a slow page several times, and finally wait for it."""
        for _ in range(RELOADS_MAX):
            try:
                async with asyncio.timeout(RELOAD_AFTER_SECONDS):
                    return await self._send_normally(sent)
            except TimeoutError:
                self.world.tally.answered("reloaded", self.world.now())
        return await self._send_normally(sent)

    async def _connected(self) -> Connection:
        if self._connection is None or not self._connection.is_open:
            self._connection = await Connection.open(
                self.world.site, self._link, self.world.tally.traffic, self._source
            )
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def leave(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def comes_to(self, turn: str) -> None:
        """Count the visitor's progress in a line for its network: `TAKEN`, then `CALLED`, each once."""
        if self._network and turn != self._turn:
            self._turn = turn
            self.world.tally.turn(self._journey.name, self._network, turn)

    def _keep_cookies(self, cookies: Sequence[str]) -> None:
        for line in cookies:
            pair, *rest = line.split(";")
            name, _, value = pair.strip().partition("=")
            is_over = any(one.strip().lower() == "max-age=0" for one in rest)
            if is_over:
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = value


def _local(location: str) -> str:
    """Return path and query of a redirect's target; visitors of a rehearsal never leave the site."""
    found = urlsplit(location)
    return (found.path or "/") + (f"?{found.query}" if found.query else "")


def label_of(answer: Answer) -> str:
    """Return the label of an answer: its status, and for a temporary 503 its sender."""
    if answer.status != _UNAVAILABLE or "retry-after" not in answer.headers:
        return str(answer.status)
    page = Page("", answer.status, answer.headers, answer.body)
    waits = translate(
        "page.waiting.refused_title", "id"
    )  # shown when the line cannot read its database
    if page.refusal in _AWAY_CODES or page.title.startswith(waits):
        return AWAY
    is_busy = page.title.startswith(translate("page.busy.title", "id"))
    if is_busy or page.refusal == "busy" or b'"code":"busy"' in answer.body:
        return BUSY
    # A form that is shown again with an error contains no code; only an unavailable database causes such a 503.
    return f"503_{page.refusal}" if page.refusal else AWAY
