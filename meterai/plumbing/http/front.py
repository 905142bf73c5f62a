"""The front of an application: steps that each request passes through, and its answer in reverse.

The front gives each request an id (`plumbing/observe/exchange.py`). A HEAD request is passed on as GET, and the answer
is sent without its body (RFC 9110, section 9.3.2).
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from meterai.plumbing.observe.exchange import EXCHANGE, HEADER, OLD_HEADER, Exchange, brought_in

_REPLAYED = (b"idempotent-replayed", b"true")


class Visit:
    """A request on its way to the application. A step may replace its `receive` and `send`.

    method   method as the client sent it; in `scope` GET replaces HEAD
    """

    __slots__ = ("method", "receive", "scope", "send")

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method = scope["method"]

    @property
    def is_head(self) -> bool:
        """True if the client requested only the headers of an answer."""
        return self.method == "HEAD"


GoOn: TypeAlias = Callable[[Visit], Awaitable[None]]
Step: TypeAlias = Callable[[Visit, GoOn], Awaitable[None]]


class Front:
    """An application, and the steps that a request passes before it reaches the application, in order."""

    def __init__(self, app: ASGIApp, steps: Sequence[Step]) -> None:
        self._app = app
        self._begin: GoOn = self._ask
        for step in reversed(steps):
            self._begin = partial(_follow, step, self._begin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request through the steps to the application."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        exchange = Exchange(brought_in(scope["headers"]))
        told = exchange.id.encode()
        visit = Visit(scope, receive, send)
        if is_head := visit.is_head:
            scope["method"] = "GET"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (HEADER, told), (OLD_HEADER, told)]
                if exchange.is_replayed:
                    headers.append(_REPLAYED)
                message["headers"] = headers
            elif is_head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        visit.send = answer
        token = EXCHANGE.set(exchange)
        try:
            await self._begin(visit)
        finally:
            EXCHANGE.reset(token)

    async def _ask(self, visit: Visit) -> None:
        await self._app(visit.scope, visit.receive, visit.send)


def _follow(step: Step, go_on: GoOn, visit: Visit) -> Awaitable[None]:
    return step(visit, go_on)
