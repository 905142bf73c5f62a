"""Everything before an application: steps through which each request goes, and its answer back.

The front names each request and its answer (`plumbing/observe/exchange.py`), and asks for GET in place of HEAD,
whose answer it sends without the body (RFC 9110, section 9.3.2).
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from meterai.plumbing.observe.exchange import EXCHANGE, HEADER, OLD_HEADER, Exchange, brought_in

_REPLAYED = (b"idempotent-replayed", b"true")


class Visit:
    """A request on its way to the application.  A step may put its own `receive` and `send` in place.

    method   as the client asked; in `scope` GET stands for HEAD
    """

    __slots__ = ("method", "receive", "scope", "send")

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method = scope["method"]

    @property
    def is_head(self) -> bool:
        """True where only the headers of an answer are asked for."""
        return self.method == "HEAD"


GoOn: TypeAlias = Callable[[Visit], Awaitable[None]]
Step: TypeAlias = Callable[[Visit, GoOn], Awaitable[None]]


class Front:
    """An application behind its steps, the first of which sees a request first."""

    def __init__(self, app: ASGIApp, steps: Sequence[Step]) -> None:
        self._app = app
        self._begin: GoOn = self._ask
        for step in reversed(steps):
            self._begin = partial(_follow, step, self._begin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request through the steps."""
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
