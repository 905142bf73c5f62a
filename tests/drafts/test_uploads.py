"""Uploads over HTTP, within the process: every answer of the protocol."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from meterai.drafts import Uploads, holdings
from meterai.drafts.model import EMPTY_LIVES, PART_BYTES_MAX, PART_BYTES_MIN
from meterai.kit.clock import SystemClock
from meterai.plumbing.messages import translate
from meterai.waiting_room import WaitingRoom
from tests.support.lines import BUYING, TESTER, Operating
from tests.support.pdf import pdf
from tests.support.within import Asking, Given, Within, settings_of, within

PATH = "/stamp/uploads"
PARTIAL = {"content-type": "application/partial-upload"}
INCONSISTENT = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length"
MISMATCHING = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"


def large(parts: int = 2) -> bytes:
    """A document of more than `parts` parts."""
    return pdf() + b"\n%" + b"x" * (parts * PART_BYTES_MAX) + b"\n%%EOF\n"


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


@dataclass
class Visitor:
    """A browser that keeps the cookie of its draft."""

    web: Within
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Given:
        told = {"cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} | (headers or {})
        raw = [(name.lower().encode(), value.encode()) for name, value in told.items()]
        given = await self.web.ask(Asking(method, path.encode(), raw, body))
        for name, value in given.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return given

    async def begin(self, size: int, body: bytes = b"", **headers: str) -> Given:
        told = {
            "upload-complete": "?0",
            "upload-length": str(size),
            "content-disposition": "inline; filename*=UTF-8''surat.pdf",
        }
        return await self.ask("POST", PATH, body, told | _named(headers))

    async def part(self, path: str, offset: int, body: bytes, **headers: str) -> Given:
        told = PARTIAL | {"upload-offset": str(offset), "upload-complete": "?0"}
        return await self.ask("PATCH", path, body, told | _named(headers))


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def code(given: Given) -> str:
    assert given.header("content-type") == "application/problem+json", given
    found: str = json.loads(given.body)["code"]
    return found


Act = Callable[[Visitor], Awaitable[None]]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Callable[..., None]:
    def whole(act: Act, **more: Any) -> None:
        async def inside() -> None:
            async with within(settings_of(database_url, tmp_path, **more)) as web:
                await act(Visitor(web))

        asyncio.run(inside())

    return whole


def test_file_is_uploaded_in_parts(run):
    async def act(visitor: Visitor) -> None:
        content = large()
        begun = await visitor.begin(len(content), repr_digest=digest(content))
        assert (begun.status, begun.header("upload-complete")) == (201, "?0")
        assert begun.header("upload-offset") == "0"
        path = begun.header("location")
        limit = dict(one.split("=") for one in begun.header("upload-limit").split(", "))
        assert limit["max-append-size"] == str(PART_BYTES_MAX)
        assert limit["min-append-size"] == str(PART_BYTES_MIN)
        assert 0 < int(limit["max-age"]) <= EMPTY_LIVES.total_seconds()
        for start in range(0, len(content), PART_BYTES_MAX):
            part = content[start : start + PART_BYTES_MAX]
            seen = await visitor.ask("HEAD", path)
            assert (seen.status, seen.body) == (204, b"")
            assert seen.header("upload-offset") == str(start)
            assert seen.header("upload-length") == str(len(content))
            assert seen.header("upload-complete") == "?0"
            assert "no-store" in seen.header("cache-control")
            is_last = start + len(part) == len(content)
            given = await visitor.part(
                path, start, part, upload_complete=f"?{is_last:d}", content_digest=digest(part)
            )
            assert given.status == (200 if is_last else 204)
        assert given.header("upload-complete") == "?1"
        state = json.loads(given.body)
        assert (state["name"], state["pages"]) == ("surat.pdf", 1)
        assert state["state"] in ("ready", "repaired")
        seen = await visitor.ask("HEAD", path)
        assert seen.header("upload-complete") == "?1"
        limit = dict(one.split("=") for one in seen.header("upload-limit").split(", "))
        assert 86_000 < int(limit["max-age"]) <= 86_400
        # After a lost answer the last part is sent without bytes: the result is returned again.
        again = await visitor.part(path, len(content), b"", upload_complete="?1")
        assert (again.status, json.loads(again.body)) == (200, state)
        assert code(await visitor.part(path, len(content), b"more")) == "upload_completed"

    run(act)


def test_wrong_creation_is_refused_by_name_and_stores_nothing(run):
    async def act(visitor: Visitor) -> None:
        size = visitor.web.container.of(Uploads).file_bytes_max
        small = b"x" * (PART_BYTES_MIN - 1)
        cases: list[tuple[str, int, dict[str, str], bytes]] = [
            ("malformed", 422, {"upload-complete": "1"}, b""),
            ("malformed", 422, {"upload-length": "many"}, b""),
            ("malformed", 422, {"upload-length": "-1"}, b""),
            ("malformed", 422, {"content-disposition": "inline; filename*=x"}, b""),
            ("malformed", 422, {"repr-digest": "sha-256=nothing"}, b""),
            ("malformed", 422, {"content-digest": "nothing"}, b"x" * PART_BYTES_MIN),
            ("document_too_large", 413, {"upload-length": str(size + 1)}, b""),
            ("upload_length_inconsistent", 400, {"upload-complete": "?1"}, b"some"),
            ("upload_length_inconsistent", 400, {"upload-complete": "?1"}, b""),
            ("upload_length_inconsistent", 400, {"upload-length": "3"}, b"some"),
            ("part_size_wrong", 413, {}, small),
            ("part_size_wrong", 413, {}, b"x" * (PART_BYTES_MAX + 1)),
            (
                "part_damaged_on_the_way",
                422,
                {"content-digest": digest(b"")},
                b"x" * PART_BYTES_MIN,
            ),
            ("form_foreign", 403, {"origin": "https://evil.example"}, b""),
            ("form_foreign", 403, {"origin": "null"}, b""),
            ("form_foreign", 403, {"sec-fetch-site": "cross-site"}, b""),
            ("form_foreign", 403, {"sec-fetch-site": "same-site"}, b""),
        ]
        for expected, status, headers, body in cases:
            told = {"upload-complete": "?0", "upload-length": str(3 * PART_BYTES_MAX)}
            for accept in ("*/*", "text/html"):
                given = await visitor.ask("POST", PATH, body, told | headers | {"accept": accept})
                assert (code(given), given.status) == (expected, status), headers
                assert given.header("upload-complete") == "?0"
                assert not given.header("set-cookie")
                if status == 413:
                    assert "max-append-size" in given.header("upload-limit")
                if status == 400:
                    assert json.loads(given.body)["type"] == INCONSISTENT
        async with visitor.web.container.database.reading() as tx:
            assert not await tx.all("SELECT 1 FROM draft_files")

    run(act)


def test_wrong_part_is_refused_by_name_and_stores_nothing(run):
    async def act(visitor: Visitor) -> None:
        content = large()
        begun = await visitor.begin(len(content), content[:PART_BYTES_MAX])
        path = begun.header("location")
        assert begun.header("upload-offset") == str(PART_BYTES_MAX)
        part = content[PART_BYTES_MAX : 2 * PART_BYTES_MAX]
        cases: list[tuple[str, int, dict[str, str], bytes]] = [
            ("part_type_wrong", 415, {"content-type": "application/octet-stream"}, part),
            ("malformed", 422, {"upload-offset": "?1"}, part),
            ("malformed", 422, {"upload-complete": "yes"}, part),
            ("malformed", 422, {"upload-length": "1.0"}, part),
            ("upload_offset_mismatch", 409, {"upload-offset": "5;a=b"}, part),
            ("upload_length_inconsistent", 400, {"upload-length": "7"}, part),
            ("upload_length_inconsistent", 400, {"upload-complete": "?1"}, part),
            ("part_damaged_on_the_way", 422, {"content-digest": digest(b"another")}, part),
            ("part_size_wrong", 413, {}, part[:9]),
            ("part_size_wrong", 413, {}, part + b"x"),
            ("form_foreign", 403, {"sec-fetch-site": "cross-site"}, part),
        ]
        for expected, status, headers, body in cases:
            told = PARTIAL | {"upload-offset": str(PART_BYTES_MAX), "upload-complete": "?0"}
            given = await visitor.ask("PATCH", path, body, told | headers)
            assert (code(given), given.status) == (expected, status), headers
            seen = await visitor.ask("HEAD", path)
            assert seen.header("upload-offset") == str(PART_BYTES_MAX)
        wrong = await visitor.part(path, 5, part)
        problem = json.loads(wrong.body)
        assert problem["type"] == MISMATCHING
        assert (problem["expected-offset"], problem["provided-offset"]) == (PART_BYTES_MAX, 5)
        assert wrong.header("upload-offset") == str(PART_BYTES_MAX)
        for missing in ("upload-offset", "upload-complete"):
            told = PARTIAL | {"upload-offset": "0", "upload-complete": "?0"}
            del told[missing]
            given = await visitor.ask("PATCH", path, part, told)
            assert code(given) == "malformed"
        beyond = await visitor.begin(PART_BYTES_MAX + 5, part)
        given = await visitor.part(beyond.header("location"), PART_BYTES_MAX, b"x" * 6)
        assert code(given) == "upload_length_inconsistent"

    run(act)


def test_file_is_reachable_by_its_browser_alone(run):
    async def act(visitor: Visitor) -> None:
        begun = await visitor.begin(3 * PART_BYTES_MAX)
        path = begun.header("location")
        stranger = Visitor(visitor.web)
        for method in ("GET", "HEAD", "PATCH", "DELETE"):
            headers = PARTIAL | {"upload-offset": "0", "upload-complete": "?0"}
            assert (await stranger.ask(method, path, b"", headers)).status == 404
        await stranger.begin(7)
        assert (await stranger.ask("DELETE", path)).status == 204, "of a stranger's own: nothing"
        assert (await visitor.ask("HEAD", path)).status == 204
        foreign = await visitor.ask("DELETE", path, headers={"sec-fetch-site": "cross-site"})
        assert foreign.status == 403
        assert (await visitor.ask("DELETE", path)).status == 204
        assert (await visitor.ask("HEAD", path)).status == 404

    run(act)


def test_one_of_two_concurrent_writers_wins_and_other_gets_offset(run):
    async def act(visitor: Visitor) -> None:
        content = large()
        for _ in range(3):
            path = (await visitor.begin(len(content))).header("location")
            part = content[:PART_BYTES_MAX]
            given = await asyncio.gather(*(visitor.part(path, 0, part) for _ in range(4)))
            assert sorted(one.status for one in given) == [204, 409, 409, 409]
            seen = await visitor.ask("HEAD", path)
            assert seen.header("upload-offset") == str(PART_BYTES_MAX)
            lost = next(one for one in given if one.status == 409)
            assert lost.header("upload-offset") == str(PART_BYTES_MAX)

    run(act)


def test_sum_of_all_drafts_is_limited_and_cached(run, monkeypatch):
    # The whole test takes less time than this.
    monkeypatch.setattr(holdings, "READ_SECONDS", 3600.0)

    async def act(visitor: Visitor) -> None:
        asked = 0
        found = visitor.web.container.database.once

        async def counting(work: Any, *args: Any, **named: Any) -> Any:
            nonlocal asked
            asked += getattr(work, "__name__", "") in ("all_bytes", "strangers_bytes")
            return await found(work, *args, **named)

        monkeypatch.setattr(visitor.web.container.database, "once", counting)
        part = b"x" * PART_BYTES_MAX
        statuses = [(await visitor.begin(2 * len(part), part)).status for _ in range(4)]
        assert statuses == [201, 201, 201, 503]
        assert asked == 2, "each of them once"

    run(act, drafts_bytes_max=int(4 * PART_BYTES_MAX / holdings.STRANGERS_SHARE) + 1)


def test_line_stops_new_files_without_turn_and_lets_begun_ones_go_on(run):
    async def act(visitor: Visitor) -> None:
        content = large()
        path = (await visitor.begin(len(content))).header("location")
        room = visitor.web.container.of(WaitingRoom)
        operating = Operating(visitor.web.container.database, SystemClock())
        await operating.stand(BUYING, "always", actor=TESTER)
        await room._look()
        refused = await visitor.begin(len(content))
        assert (refused.status, code(refused)) == (503, "wait_in_line")
        assert (await visitor.part(path, 0, content[:PART_BYTES_MAX])).status == 204
        # The form is not read, and the page behind the waiting line says so.
        sent = await visitor.ask("POST", "/stamp/files", b"x", {"accept": "text/html"})
        assert (sent.status, sent.header("location")[:7]) == (303, "/lines/")
        there = parse_qs(urlsplit(sent.header("location")).query)["next"][0]
        await operating.stand(BUYING, "never", actor=TESTER)
        await room._look()
        shown = await visitor.ask("GET", there, headers={"accept": "text/html"})
        assert translate("page.choose.is_not_kept", "id").encode() in shown.body

    run(act)


PAGE, PLANTED_PAGE = "the-key-of-a-page-of-mine", "the-key-of-a-page-of-another"


async def _whole(visitor: Visitor, content: bytes, page: str) -> Given:
    headers = {"upload_complete": "?1", "content_digest": digest(content)}
    given = await visitor.begin(len(content), content, page_key=page, **headers)
    assert given.status == 201, given
    return given


async def _shown(visitor: Visitor, path: str) -> int:
    return (await visitor.ask("GET", path, headers={"accept": "application/json"})).status


@pytest.mark.parametrize("page", [PAGE, ""])
def test_planted_cookie_opens_no_later_upload(run, page):
    async def act(planter: Visitor) -> None:
        planted = (await _whole(planter, pdf(words="Umpan"), PLANTED_PAGE)).header("location")
        victim = Visitor(planter.web, dict(planter.cookies))
        path = (await _whole(victim, pdf(words="Rahasia"), page)).header("location")
        assert victim.cookies != planter.cookies
        for file in (path, planted):
            assert await _shown(victim, file) == 200
            assert await _shown(planter, file) == 404
        assert "surat.pdf" not in str((await planter.ask("GET", "/stamp")).body)

    run(act)


def test_page_after_lost_answer_finds_draft_with_old_cookie(run):
    async def act(visitor: Visitor) -> None:
        await _whole(visitor, pdf(words="Kemarin"), PLANTED_PAGE)
        before = dict(visitor.cookies)
        content = large()
        begun = await visitor.begin(len(content), page_key=PAGE)
        path, after = begun.header("location"), dict(visitor.cookies)
        visitor.cookies = dict(before)  # the answer was lost
        seen = await visitor.ask("HEAD", path, headers={"page-key": PAGE})
        assert seen.status == 204
        assert visitor.cookies == after
        visitor.cookies = dict(before)
        assert (await visitor.part(path, 0, content[:PART_BYTES_MAX], page_key=PAGE)).status == 204
        assert visitor.cookies == after
        visitor.cookies = dict(before)
        again = await visitor.begin(len(content), page_key=PAGE)
        assert again.status == 201
        assert visitor.cookies == after
        page = str((await visitor.ask("GET", "/stamp")).body)
        assert page.count("data-file=") == 3

    run(act)
