"""Cached answers for strangers: the same for all, and never personal."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get

from meterai.pages.remembering import Remembered, Remembering
from meterai.plumbing.http.front import Front
from meterai.plumbing.http.throttle import Throttle
from tests.support.within import Given, Within


class Counting:
    """An application whose answers contain their count and language."""

    def __init__(self) -> None:
        self.times = 0
        self.status = 200
        self.cookie = ""
        self.waits: asyncio.Event | None = None
        self.begun = asyncio.Event()

        @get(["/", "/files/{name:str}"], opt={"remembered": Remembered(60.0)})
        async def show(request: Request[Any, Any, Any]) -> Response[str]:
            return await self._answer(request)

        @get("/version", opt={"remembered": Remembered(60.0, only_immutable=True)})
        async def show_version(request: Request[Any, Any, Any]) -> Response[str]:
            answer = await self._answer(request)
            is_right = request.query_params.get("v") in ("1", "2")
            answer.headers["Cache-Control"] = "public, immutable" if is_right else "no-cache"
            return answer

        @get("/other")
        async def show_other(request: Request[Any, Any, Any]) -> Response[str]:
            return await self._answer(request)

        self.litestar = Litestar([show, show_version, show_other], openapi_config=None)
        self.remembering = Remembering(self.litestar, Throttle())
        self.web = Within(self.litestar, Front(self.litestar, [self.remembering]))

    async def _answer(self, request: Request[Any, Any, Any]) -> Response[str]:
        self.times += 1
        if self.waits is not None:
            self.begun.set()
            await self.waits.wait()
        headers = {"Set-Cookie": self.cookie} if self.cookie else {}
        told = f"{self.times} {request.headers.get('accept-language', '')}"
        return Response(told, status_code=self.status, media_type="text/html", headers=headers)

    async def asked(self, target: str = "/", **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await self.web.get(target, named)).body.decode()


def own(given: Given) -> list[tuple[str, str]]:
    """Return the headers of an answer without the id of its request."""
    return [one for one in given.headers if not one[0].endswith("request-id")]


def run(story: Any) -> None:
    asyncio.run(story(Counting()))


def test_stranger_is_answered_from_the_cache() -> None:
    async def story(app: Counting) -> None:
        first = await app.web.get("/")
        second = await app.web.get("/")
        assert (first.status, first.body) == (200, second.body)
        assert own(first) == own(second)
        assert app.times == 1

    run(story)


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "session=abc"},
        {"cookie": "language=id; session=abc"},
        {"cookie": "language=id; language=en"},
        {"cookie": ""},
        {"authorization": "Bearer x"},
    ],
    ids=str,
)
def test_request_with_a_cookie_is_not_answered_from_the_cache(headers: dict[str, str]) -> None:
    async def story(app: Counting) -> None:
        assert await app.asked() == "1 "
        assert (await app.asked(**headers)).startswith("2")
        assert await app.asked() == "1 ", "and leaves nothing behind"

    run(story)


def test_each_language_is_cached_by_itself() -> None:
    async def story(app: Counting) -> None:
        assert await app.asked(accept_language="en-GB,en") == "1 en-GB,en"
        assert await app.asked(accept_language="id") == "2 id"
        assert await app.asked(accept_language="en") == "1 en-GB,en"
        assert await app.asked(cookie="language=en") == "1 en-GB,en"
        assert await app.asked(cookie="__Host-language=id", accept_language="en") == "2 id"

    run(story)


def test_only_answers_for_everybody_are_cached() -> None:
    async def story(app: Counting) -> None:
        for status, cookie in ((503, ""), (404, ""), (200, "a=b")):
            app.status, app.cookie = status, cookie
            before = app.times
            await app.asked()
            await app.asked()
            assert app.times == before + 2, (status, cookie)
        app.status, app.cookie, before = 200, "", app.times
        for target in ("/?a=1", "/?a=1", "/other", "/other"):
            await app.asked(target)
        assert app.times == before + 4

    run(story)


def test_old_answer_is_served_while_it_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(app: Counting) -> None:
        now = 1000.0
        monkeypatch.setattr("meterai.pages.remembering.monotonic", lambda: now)
        assert await app.asked() == "1 "
        now += 61
        app.waits = asyncio.Event()
        renewing = asyncio.create_task(app.asked())
        await app.begun.wait()
        assert [await app.asked() for _ in range(5)] == ["1 "] * 5
        app.waits.set()
        assert await renewing == "2 "
        assert await app.asked() == "2 "
        # While it cannot be renewed, the old answer is served for a limited time.
        app.status = 503
        now += 61
        assert [await app.asked() for _ in range(2)] == ["2 "] * 2
        assert app.times == 4
        now += 60
        assert (await app.web.get("/")).status == 503

    run(story)


def test_cache_is_bounded() -> None:
    async def story(app: Counting) -> None:
        for number in range(600):
            await app.asked(f"/files/{number}")
        assert len(app.remembering._kept) <= 256

    run(story)
