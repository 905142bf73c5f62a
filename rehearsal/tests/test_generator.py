"""Open model: arrivals do not wait for answers, and latency counts from the intended time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

import pytest

from meterai.plumbing.messages import translate
from meterai_rehearsal.histograms import read
from meterai_rehearsal.rehearsal.arrivals import Arrival
from meterai_rehearsal.rehearsal.generator import STILL_UNDER_WAY, Generator, maker_of
from meterai_rehearsal.rehearsal.plan import Bounds, Device, JourneyName
from meterai_rehearsal.rehearsal.tally import Counted, Tally, sum_of
from meterai_rehearsal.rehearsal.visitor import StepFailed, Visitor, World
from meterai_rehearsal.results import Journey
from scripted_server import ScriptedServer, always, answer, in_turn

PHONE = Device(name="phone")
BUSY = answer(
    503,
    f"<title>{translate('page.busy.title', 'id')} · meterai</title>".encode(),
    "Retry-After: 1",
)


def arriving(times: Iterable[float], device: Device = PHONE) -> list[Arrival]:
    return [Arrival(at, JourneyName.LOOK, device, number) for number, at in enumerate(times)]


async def look(visitor: Visitor) -> None:
    async with visitor.step("front"):
        await visitor.get("/")


def run(
    server: ScriptedServer,
    arrivals: list[Arrival],
    *,
    journey: Callable[[Visitor], Awaitable[None]] = look,
    open_max: int = 1_000,
    seconds_max: float = 20.0,
    patience: float = 10.0,
    stop_at: float | None = None,
) -> Counted:
    async def running() -> Counted:
        async with server.running():
            tally = Tally()
            bounds = Bounds(seconds_max=seconds_max, patience_seconds=patience)
            world = World(server.site, bounds, tally, time.monotonic(), maker_of(1_000))
            generator = Generator(
                world,
                arrivals,
                open_max=open_max,
                seconds_max=seconds_max,
                journeys=lambda _: journey,
            )
            if stop_at is not None:
                asyncio.get_running_loop().call_later(stop_at, generator.stop)
            await generator.run()
            return tally.told()

    return asyncio.run(running())


def only(counted: Counted) -> Journey:
    (journey,) = counted.journeys
    return journey


class Stalling:
    """A server that answers nobody until a time of the run, however late the first request is."""

    def __init__(self, since: float, until: float) -> None:
        self.begun = 0.0
        self.since, self.until = since, until

    async def __call__(self, _: bytes) -> bytes:
        now = time.monotonic() - self.begun
        if self.since <= now < self.until:
            await asyncio.sleep(self.until - now)
        return answer(200, b"<title>front</title>")


def test_visitors_are_begun_while_the_server_stalls() -> None:
    stalling = Stalling(0.2, 1.2)

    async def looking(visitor: Visitor) -> None:
        stalling.begun = visitor.world.begins
        await look(visitor)

    counted = run(ScriptedServer(stalling), arriving(n / 100 for n in range(100)), journey=looking)
    journey = only(counted)
    assert (journey.started, journey.finished) == (100, 100)
    # Eighty visitors came between 0.2 and 1.0 s and each waited until 1.2 s: half of all waited 0.5 s or more. A generator
    # that waits for an answer before it begins the next visitor would have recorded a single wait.
    waits = read(journey.latency)
    assert waits.at(0.5) > 0.3
    assert journey.latency.longest > 0.9
    assert sum(counted.seconds["sent"]) == 100


def test_latency_counts_from_intended_time() -> None:
    async def blocking(_: bytes) -> bytes:
        return answer(200)

    hung: list[Visitor] = []

    async def hang(visitor: Visitor) -> None:
        if not hung:
            hung.append(visitor)
            time.sleep(1.0)  # noqa: ASYNC251 - the generator itself is held up
        await look(visitor)

    counted = run(ScriptedServer(blocking), arriving([0.0, 0.1, 0.2, 0.3, 0.4]), journey=hang)
    journey = only(counted)
    # All five were answered at once after 1 s; only the first was sent in time.
    assert journey.finished == 5
    waits = read(journey.latency)
    assert waits.at(0.2) > 0.55  # the last: intended at 0.4, answered after 1.0
    assert waits.at(1.0) > 0.95
    front = read(journey.steps[0].latency)
    assert front.at(0.2) > 0.55
    assert counted.lateness.longest > 0.85  # and the generator reports that it was late


def test_latency_of_next_step_counts_from_its_intended_time() -> None:
    async def two(visitor: Visitor) -> None:
        await look(visitor)
        time.sleep(0.5)  # noqa: ASYNC251 - the generator itself is held up
        async with visitor.step("again"):
            await visitor.get("/")

    journey = only(run(always(answer(200)), arriving([0.0]), journey=two))
    second = journey.steps[1]
    assert second.latency.longest > 0.49
    assert journey.working.longest > 0.49


def test_waiting_after_refusal_counts_as_latency() -> None:
    counted = run(in_turn(BUSY, BUSY, answer(200)), arriving([0.0]))
    (step,) = only(counted).steps
    assert (step.refused, step.finished) == (2, 1)
    assert step.latency.longest > 1.99
    assert counted.statuses == {"busy": 2, "200": 1}
    assert counted.error_pages == 0


def test_visitor_ignoring_retry_after_retries_at_once() -> None:
    device = Device(name="impatient", ignores_retry_after=True)
    slow = answer(503, BUSY.partition(b"\r\n\r\n")[2], "Retry-After: 60")
    counted = run(in_turn(slow, slow, answer(200)), arriving([0.0], device), patience=5.0)
    assert only(counted).finished == 1


def test_arrival_that_cannot_begin_is_counted_as_dropped() -> None:
    async def never(_: bytes) -> bytes:
        await asyncio.sleep(60)
        return b""

    counted = run(
        ScriptedServer(never), arriving([0.0] * 10), open_max=3, seconds_max=0.5, patience=10.0
    )
    assert sum(counted.seconds["dropped"]) == 7
    assert sum(counted.seconds["offered"]) == 10
    assert only(counted).failed == {STILL_UNDER_WAY: 3}


def test_generator_ends_automatically_and_on_request() -> None:
    async def never(_: bytes) -> bytes:
        await asyncio.sleep(60)
        return b""

    arrivals = arriving([0.0, 50.0])
    for counted in (
        run(ScriptedServer(never), arrivals, seconds_max=0.3),
        run(ScriptedServer(never), arrivals, stop_at=0.3),
    ):
        assert sum(counted.seconds["sent"]) == 1
        assert counted.last_at < 15


def test_visitor_gives_up_after_patience() -> None:
    async def never(_: bytes) -> bytes:
        await asyncio.sleep(60)
        return b""

    journey = only(run(ScriptedServer(never), arriving([0.0]), patience=0.2))
    assert journey.failed == {"front: gave_up": 1}
    assert journey.steps[0].failed == {"gave_up": 1}


def test_loss_has_reason_of_last_answer() -> None:
    counted = run(always(BUSY), arriving([0.0, 0.1]), patience=0.5)
    assert only(counted).steps[0].failed == {"busy": 2}
    assert sum(counted.seconds["lost/look.front: busy"]) == 2


def test_visitors_under_way_are_counted_once_a_second() -> None:
    async def never(_: bytes) -> bytes:
        await asyncio.sleep(60)
        return b""

    counted = run(ScriptedServer(never), arriving([0.0, 0.1, 0.2]), seconds_max=2.5)
    assert counted.seconds["under_way"][1:] == [3.0, 3.0]


@pytest.mark.parametrize(
    ("told", "label", "errors"),
    [
        (answer(500, b"<title>Aduh</title>"), "500", 1),
        (answer(502), "502", 1),
        (answer(503), "503", 1),
        (BUSY, "busy", 0),
        (answer(503, b'{"code":"busy"}', "Retry-After: 1"), "busy", 0),
        (
            answer(503, b'<h1 data-refusal="503 database_away"></h1>', "Retry-After: 1"),
            "away",
            0,
        ),
        (
            answer(503, b'<h1 data-refusal="503 bank_unreachable"></h1>', "Retry-After: 1"),
            "503_bank_unreachable",
            1,
        ),
        (answer(503, b"<form action='/stamp'>", "Retry-After: 1"), "away", 0),
        (answer(404), "404", 0),
    ],
)
def test_error_page_is_counted(told: bytes, label: str, errors: int) -> None:
    counted = run(in_turn(told, answer(200)), arriving([0.0]), patience=8.0)
    assert label in counted.statuses
    assert counted.error_pages == errors
    assert len(counted.first_error_pages) == errors
    for page in counted.first_error_pages:
        assert (page.journey, page.step, page.path) == ("look", "front", "/")


def test_device_aborts_double_clicks_and_reloads() -> None:
    bad = Device(name="bad", drops=1.0, double_clicks=1.0, reloads=1.0, new_connections=True)

    async def form(visitor: Visitor) -> None:
        async with visitor.step("front"):
            page = await visitor.get("/")
            await visitor.submit(page.form("/x"))

    page = b"<form action='/x'><input name=a></form>"
    server = always(answer(200, page))
    counted = run(server, arriving([0.0], bad), journey=form)
    assert only(counted).finished == 1
    assert counted.statuses["cut_by_visitor"] == 2
    assert sum(one.startswith(b"POST") for one in server.asked) >= 2
    assert server.connections >= 4


def test_connection_closed_while_idle_is_reopened() -> None:
    async def two(visitor: Visitor) -> None:
        await look(visitor)
        async with visitor.step("again"):
            await visitor.get("/")

    counted = run(in_turn(answer(200), None, answer(200)), arriving([0.0]), journey=two)
    assert only(counted).finished == 1
    assert "connection_lost" not in counted.statuses


def test_cookies_and_redirects_are_those_of_a_browser() -> None:
    async def there(visitor: Visitor) -> None:
        async with visitor.step("front"):
            page = await visitor.get("/")
            if page.path != "/there?x=1":
                raise StepFailed("elsewhere")

    server = in_turn(
        answer(303, b"", "Location: /there?x=1", "Set-Cookie: a=1; Path=/"),
        answer(200, b"", "Set-Cookie: a=; Max-Age=0"),
    )
    counted = run(server, arriving([0.0]), journey=there)
    assert only(counted).finished == 1
    assert b"Cookie: a=1\r\n" in server.asked[1]


def test_counts_of_several_processes_add_up() -> None:
    one = run(in_turn(BUSY, answer(200)), arriving([0.0, 0.1]))
    both = sum_of([one, one])
    assert both.statuses == {name: 2 * number for name, number in one.statuses.items()}
    assert only(both).finished == 2 * only(one).finished
    assert only(both).steps[0].latency.count == 2 * only(one).steps[0].latency.count
    assert sum(both.seconds["sent"]) == 4
