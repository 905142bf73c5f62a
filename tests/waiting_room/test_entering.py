"""Visitors before the opening, in a browser without scripts: an entry, its proof, and then a number."""

import asyncio
import json
import re

import pytest

from meterai.draw.entering import entry_of
from meterai.draw.files import address_of
from meterai.draw.parts import draw_service_of
from meterai.plumbing.signed import read_signed
from meterai.waiting_room.draws import SUBJECTS
from meterai.waiting_room.model import PATH, LineState
from meterai.waiting_room.service import ENTRY_RECEIPT, WaitingRoom
from tests.support.draw_room import NAME, DrawRoom, with_draw
from tests.support.within import Given, Within, settings_of, within

PAGE = {"accept": "text/html", "accept-language": "en"}
PAGE_BYTES_MAX = 15_000


def cookies(answer: Given) -> dict[str, str]:
    """Return the cookies that a browser keeps of an answer."""
    found = [value.split(";")[0] for name, value in answer.headers if name == "set-cookie"]
    return dict(one.split("=", 1) for one in found)


def shown(kept: dict[str, str]) -> dict[str, str]:
    return PAGE | {"cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}


def entry_on(answer: Given) -> str:
    found = re.search(rb"<code>([0-9a-f]{32})</code>", answer.body)
    assert found, answer.body[:2000]
    return found[1].decode()


def with_web(database_url, tmp_path, act) -> None:
    """Run the application with a line that gathers entries."""

    monkey = pytest.MonkeyPatch()

    async def begin(room: DrawRoom) -> None:
        chain = tmp_path / "chain.json"
        chain.write_text(json.dumps(room.relay.chain.info()))
        settings = settings_of(
            database_url,
            tmp_path,
            waiting_room_drand_urls=room.url,
            waiting_room_drand_chain=str(chain),
            waiting_room_publish_seconds=60,
        )
        async with within(settings) as web:
            lines = web.container.of(WaitingRoom)
            worker = draw_service_of(room.database, lines.signer, settings, room.clock, SUBJECTS)
            monkey.setattr(room, "worker", lambda: worker)
            await room.worker().advance_due()
            await lines._look()
            await act(room, web, lines)

    with_draw(database_url, tmp_path, begin)


def test_entry_is_kept_by_the_browser(database_url, tmp_path) -> None:
    async def act(_: DrawRoom, web: Within, lines: WaitingRoom) -> None:
        first = await web.get(f"/lines/{NAME}", PAGE)
        assert first.status == 200
        assert len(first.body) < PAGE_BYTES_MAX
        assert b'http-equiv="refresh"' in first.body
        kept = cookies(first)
        again = await web.get(f"/lines/{NAME}", shown(kept))
        assert entry_on(again) == entry_on(first), "a reload is the same entry"
        assert cookies(again) == {}
        other = await web.post(f"/lines/{NAME}/place")
        assert json.loads(other.body)["number"] is None
        asked = await asyncio.gather(*(web.get(f"/lines/{NAME}", PAGE) for _ in range(30)))
        assert len({entry_on(one) for one in asked}) == 30

        # A ticket without a number does not admit, and is no place.
        gone = await web.get(f"/lines/{NAME}/enter", shown(kept))
        assert (gone.status, gone.header("location")) == (303, f"/lines/{NAME}?next=%2F")
        proof = await web.get(f"/lines/{NAME}/receipt", shown(kept))
        facts = read_signed(proof.body, ENTRY_RECEIPT, lines.signer.public_key())
        assert facts["entry"] == entry_on(first)
        record = await web.get(f"{facts['files']}/draw.json")
        assert json.loads(record.body)["format"] == "meterai draw 1"
        assert (await web.get(f"{facts['files']}/entries.txt")).status == 404, "not closed yet"

    with_web(database_url, tmp_path, act)


def test_entry_becomes_a_number(database_url, tmp_path) -> None:
    async def act(room: DrawRoom, web: Within, lines: WaitingRoom) -> None:
        entered = await asyncio.gather(*(web.get(f"/lines/{NAME}", PAGE) for _ in range(30)))
        await room.until_closed()
        await room.worker().advance_due()
        await lines._look()
        drawing = await web.get(f"/lines/{NAME}", shown(cookies(entered[0])))
        assert b"being drawn" in drawing.body
        assert b"waits for a public random value" in drawing.body
        assert b"your entry is safe" in drawing.body
        assert b"minutes" not in drawing.body, "nobody knows how long"
        late = await web.get(f"/lines/{NAME}", PAGE)
        assert b"waits for a public random value" in late.body
        assert b"Opens " not in late.body, "that moment is over"
        assert cookies(late) == {}, "who comes now gets a number once the line is open"

        await room.to_round()
        await room.worker().advance_due()
        await lines._look()
        line = lines.line(NAME)
        assert line.state == LineState.OPEN
        numbers = set()
        for one in entered:
            numbered = await web.get(f"/lines/{NAME}", shown(cookies(one)))
            ticket = lines.read_ticket(line, next(iter(cookies(numbered).values())))
            assert entry_of(ticket.line, ticket.holder).hex() == entry_on(one)
            numbers.add(ticket.number)
        assert numbers == set(range(1, 31))
        listed = await web.get(f"{address_of(PATH, NAME, line.id)}/entries.txt")
        assert listed.header("content-type").startswith("text/plain")
        assert listed.body.decode().split() == sorted(entry_on(one) for one in entered)
        behind = await web.get(f"/lines/{NAME}", PAGE)
        assert lines.read_ticket(line, next(iter(cookies(behind).values()))).number == 31

    with_web(database_url, tmp_path, act)
