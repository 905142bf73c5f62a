"""A load counts the answers of a server, over reused connections."""

import asyncio
from itertools import repeat

from meterai_rehearsal.clients.connection import request
from meterai_rehearsal.clients.load import Heard, Load
from scripted_server import ScriptedServer, always, answer, in_turn


def heard(server: ScriptedServer, connections: int = 2) -> Heard:
    async def ask() -> Heard:
        async with server.running():
            requests = repeat(request(server.site, "GET", "/", {}))
            return await Load(server.site, requests, connections).closed(0.2)

    return asyncio.run(ask())


def test_answers_are_counted_by_status() -> None:
    found = heard(always(answer(503, b"busy")))
    assert set(found.statuses) == {503}
    assert found.failed(503) == 0
    assert len(found.latencies) == found.answered(503) > 2


def test_answer_in_chunks_is_one_answer() -> None:
    told = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwho\r\n2\r\nle\r\n0\r\n\r\n"
    assert heard(always(told)).failed(200) == 0


def test_closed_connection_is_an_error_and_is_replaced() -> None:
    found = heard(in_turn(None, *[answer(200, b"x")] * 100_000), connections=1)
    assert found.errors == {"connection lost": 1}
    assert found.answered(200) > 0
