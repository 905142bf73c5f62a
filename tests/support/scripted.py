"""An HTTP server that answers with prepared bytes and keeps the requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

TOKEN = (
    b'{"responseCode":"2007300","responseMessage":"Successful","accessToken":"t","expiresIn":900}'
)


@dataclass
class Scripted:
    """The prepared answer to every request except the one for a token."""

    url: str = ""
    status: int = 200
    content_type: str = "application/json"
    body: bytes = b""
    token: bytes = TOKEN
    token_status: int = 200
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        self.asked.append(request.path)
        is_token = request.path.endswith("/access-token/b2b")
        status = self.token_status if is_token else self.status
        headers = {"Content-Type": self.content_type}
        return web.Response(
            body=self.token if is_token else self.body, status=status, headers=headers
        )


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """The server, on loopback."""
    found = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield found
    finally:
        await runner.cleanup()
