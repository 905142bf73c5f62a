"""Journeys without a whole installation: lines, codes, and watching an order."""

import asyncio
import json
import random
import re
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from meterai.sealing import Placement, inspect
from meterai_rehearsal.clients.sites import Site
from meterai_rehearsal.rehearsal import journeys
from meterai_rehearsal.rehearsal.documents import document
from meterai_rehearsal.rehearsal.generator import maker_of
from meterai_rehearsal.rehearsal.plan import ANY_DEVICE, Bounds, JourneyName
from meterai_rehearsal.rehearsal.tally import Counted, Tally
from meterai_rehearsal.rehearsal.visitor import StepFailed, Visitor, World
from scripted_server import ScriptedServer, answer

WAITING = (
    b'<div id="place" data-number="7" data-document="/lines/buying/now-serving.json" '
    b'data-enter="/lines/buying/enter?next=%2Fbuy"></div>'
)


def serving(number: int, *, is_engaged: bool = True, is_paused: bool = False) -> bytes:
    payload = {
        "serving": number,
        "last": 100,
        "is_engaged": is_engaged,
        "is_paused": is_paused,
        "per_second": {"fast": 1.0, "slow": 0.5},
    }
    text = urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return json.dumps({"payload": text, "protected": "x", "signature": "y"}).encode()


def asked_path(asked: bytes) -> str:
    return asked.split(b" ", 2)[1].decode()


def visited(
    answering: Callable[[bytes], Awaitable[bytes | None]],
    journey: Callable[[Visitor], Awaitable[None]],
    *,
    network: str = "",
    **bounds: float,
) -> tuple[Counted, str]:
    """Return the counts of one visitor alone, and the reason why its journey failed."""

    async def going() -> tuple[Counted, str]:
        server = ScriptedServer(answering)
        async with server.running():
            tally, why = Tally(), ""
            given = msgspec.convert({"seconds_max": 30, "patience_seconds": 9, **bounds}, Bounds)
            world = World(
                server.site,
                given,
                tally,
                time.monotonic(),
                maker_of(1_000),
                server.site,
                server.site,
            )
            visitor = Visitor(
                world, tally.journey("any"), ANY_DEVICE, random.Random(1), 0.0, network
            )
            try:
                await journey(visitor)
            except StepFailed as failed:
                why = failed.reason
            visitor.leave()
            return tally.told(), why

    return asyncio.run(going())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LINE_SECONDS_MIN", "LINE_SECONDS_MAX", "WATCH_SECONDS", "ANOTHER_CODE_SECONDS"):
        monkeypatch.setattr(journeys, name, 0.05)


def test_visitor_in_line_waits_for_its_number_and_enters() -> None:
    told = [serving(3), serving(7, is_paused=True), serving(7)]

    async def answering(asked: bytes) -> bytes:
        match asked_path(asked):
            case "/buy" if b"turn=" not in asked:
                return answer(303, b"", "Location: /lines/buying?next=%2Fbuy")
            case "/lines/buying?next=%2Fbuy":
                return answer(200, WAITING)
            case "/lines/buying/now-serving.json":
                return answer(200, told.pop(0))
            case "/lines/buying/enter?next=%2Fbuy":
                assert not told, "nobody comes in before the number is called and the line goes on"
                return answer(303, b"", "Location: /buy", "Set-Cookie: turn=1")
            case _:
                return answer(200, b"<title>buy</title>")

    counted, why = visited(answering, journeys.queue)
    assert why == ""
    assert [step.name for step in counted.journeys[0].steps] == ["come", "queue"]
    (place,) = counted.places
    assert (place.line, place.number) == ("buying", 7)
    assert place.asked_at <= place.given_at


def test_place_is_counted_for_network_when_taken_and_called() -> None:
    told = [serving(3), serving(7)]

    async def answering(asked: bytes) -> bytes:
        match asked_path(asked):
            case "/stamp":
                return answer(303, b"", "Location: /lines/buying?next=%2Fstamp")
            case "/lines/buying?next=%2Fstamp":
                return answer(200, WAITING)
            case "/lines/buying/now-serving.json":
                return answer(200, told.pop(0))
            case "/lines/buying/enter?next=%2Fbuy":
                return answer(303, b"", "Location: /stamp?in=1")
            case _:
                return answer(200, b"<title>come in</title>")

    counted, why = visited(answering, journeys.grab, network="127.1.2.1")
    assert why == ""
    expected = {"any/taken/127.1.2.1": 1, "any/called/127.1.2.1": 1}
    assert counted.turns == (expected if sys.platform == "linux" else {})


def test_runs_of_one_seed_differ_in_documents_and_addresses() -> None:
    async def alone(mark: str) -> tuple[bytes, int]:
        site = Site("127.0.0.1", 80, "127.0.0.1")
        world = World(site, Bounds(seconds_max=1), Tally(), 0.0, maker_of(1_000), mark=mark)
        tally = world.tally.journey("any")
        visitor = Visitor(world, tally, ANY_DEVICE, random.Random(1), 0.0)
        return world.original(visitor.alone), visitor.alone.getrandbits(64)

    first, again, other = (asyncio.run(alone(mark)) for mark in ("a", "a", "b"))
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


def test_visitor_without_line_does_not_wait() -> None:
    async def answering(_: bytes) -> bytes:
        return answer(200, b"<title>buy</title>")

    counted, why = visited(answering, journeys.queue)
    assert (why, counted.places) == ("", ())
    assert [step.name for step in counted.journeys[0].steps] == ["come"]


@pytest.mark.parametrize(
    ("page", "document", "why", "patience"),
    [
        (b"<p>closed</p>", b"", "queue: no_place", 30.0),
        (WAITING, b"<html>", "queue: document_unreadable", 30.0),
        (WAITING, b'{"payload": "e30"}', "queue: document_unreadable", 30.0),
        (WAITING, serving(1), "queue: gave_up", 0.5),
    ],
)
def test_line_without_entry_is_reported(
    page: bytes, document: bytes, why: str, patience: float
) -> None:
    async def answering(asked: bytes) -> bytes:
        match asked_path(asked):
            case "/buy":
                return answer(303, b"", "Location: /lines/buying")
            case "/lines/buying":
                return answer(200, page)
            case _:
                return answer(200, document)

    assert visited(answering, journeys.queue, line_patience_seconds=patience)[1] == why


def test_double_click_on_code_requests_another() -> None:
    codes = ["111111"]

    async def answering(asked: bytes) -> bytes:
        path = asked_path(asked)
        form = b'<form action="/sign-in/code"><input name=code></form>'
        again = b'<form action="/sign-in"><input name=email></form>'
        if path.startswith("/standin/mails"):
            mails = [{"subject": f"{code} is your sign-in code"} for code in reversed(codes)]
            return answer(200, json.dumps(mails).encode())
        if path == "/buy":
            return answer(200, b'<form action="/sign-in"><input name=email></form>')
        if path == "/sign-in":
            if len(visits) == 1:
                codes.append("222222")
            visits.append(path)
            return answer(200, form)
        if b"222222" in asked:
            return answer(200, b'<form action="/buy"><input name=quantity></form>')
        return answer(422, form + again)  # the first was used already

    visits: list[str] = []

    async def journey(visitor: Visitor) -> None:
        await journeys._sign_in(visitor, "/buy")

    counted, why = visited(answering, journey)
    assert why == ""
    assert len(visits) == 2
    assert counted.journeys[0].steps[-1].finished == 1


def test_download_without_original_prefix_is_a_loss() -> None:
    async def journey(visitor: Visitor) -> None:
        journeys._check_stamped(visitor, b"original", b"original and more")
        journeys._check_stamped(visitor, b"original", b"original")

    async def answering(_: bytes) -> None:
        return None

    counted, why = visited(answering, journey)
    assert why == "download: original_changed"
    assert (counted.stamps, counted.stamps_wrong) == (1, 1)


def test_every_journey_has_its_function() -> None:
    assert set(journeys.JOURNEYS) == set(JourneyName)


@pytest.mark.parametrize("size", [1_000, 50_000])
def test_documents_can_be_stamped_and_are_unique(size: int) -> None:
    drawing = random.Random(1)
    one, other = document(drawing, size), document(drawing, size)
    assert one != other
    assert abs(len(one) - size) < 600
    assert inspect(one, [Placement(1, 60, 60)]).pages == 1
    assert re.search(rb"startxref\n\d+\n%%EOF\n\Z", one)
