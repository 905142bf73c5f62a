"""Common web code of the stand-ins: serving, JSON bodies and answers, and the frame of pages."""

import json
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from aiohttp import web

from standins.refusal import NotUnderstood, Refusal

BODY_BYTES_MAX = 64 * 1024  # largest request body that these servers read
SHUTDOWN_SECONDS = 1.0  # longest wait for calls under way at the end

_CSS = Path(__file__).with_name("page.css").read_text(encoding="utf-8")

# Nothing may be loaded from elsewhere and no script runs; the only inline styles are those of received mails.
PAGE_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a refusal with JSON: `{"error": code, "message": ...}`."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(
            {"error": refusal.code, "message": str(refusal)}, status=refusal.status
        )


async def json_object(request: web.Request) -> dict[str, object]:
    """Return the body as a JSON object. Refuses `NotUnderstood`."""
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise NotUnderstood("the body is not JSON") from None
    if not isinstance(found, dict):
        raise NotUnderstood("the body is not a JSON object")
    return found


def page(title: str, heading: str, body: str, *, status: int = 200) -> web.Response:
    """Return a whole page. `title` and `heading` are plain text, `body` is escaped markup."""
    text = (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><link rel=stylesheet href=/page.css></head>"
        f"<body><header><h1><a href=/>{escape(heading)}</a></h1></header>"
        f"<main>{body}</main></body></html>"
    )
    return web.Response(
        text=text,
        content_type="text/html",
        status=status,
        headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"},
    )


async def _css(_: web.Request) -> web.Response:
    return web.Response(text=_CSS, content_type="text/css")


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def application() -> web.Application:
    """Return an application with the common settings of all stand-ins."""
    app = web.Application(middlewares=[refusals], client_max_size=BODY_BYTES_MAX)
    app.router.add_get("/page.css", _css)
    app.router.add_get("/healthz", _healthz)
    return app


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, str]:
    """Serve on this port, on any free port for 0. Return the runner, whose `cleanup` ends the server, and the base URL."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner, f"http://{host}:{runner.addresses[0][1]}"
