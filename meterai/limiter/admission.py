"""The first thing that a request comes to: it begins, waits for a moment, or is refused."""

from collections.abc import Callable
from time import monotonic

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.limiter import metrics
from meterai.limiter.answers import Answer, Answers
from meterai.limiter.limiter import Limiter
from meterai.limiter.priorities import Priorities
from meterai.limiter.turn import Turn
from meterai.limiter.users import Users
from meterai.plumbing.incoming import Incoming
from meterai.plumbing.turns import PURPOSE, Purpose

STAYS_SECONDS = 0.1  # so long nobody leaves, and nobody is looked after
WantsPage = Callable[[str, str], bool]  # of path and Accept


class Admission:
    """Lets as many requests into an application as it can serve, the most urgent first."""

    def __init__(
        self,
        app: ASGIApp,
        limiter: Limiter,
        priorities: Priorities,
        users: Users,
        answers: Answers,
        wants_page: WantsPage,
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._priorities = priorities
        self._users = users
        self._answers = answers
        self._wants_page = wants_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its turn comes, or answer that there is no room."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        begun = monotonic()
        priority = self._priorities.of(scope["method"], scope["path"])
        if self._limiter.is_full(priority):  # before anything that costs more
            await self._refuse(scope, send, priority)
            return
        user = self._users.of(scope)
        incoming = Incoming(receive)
        try:
            if await self._may_begin(priority, user, incoming):
                until = begun + ALLOWANCES[priority].total_seconds
                purpose = Purpose(priority, until, lambda: incoming.is_gone)
                await self._serve(scope, incoming, send, user, purpose)
            elif not incoming.is_gone:
                await self._refuse(scope, send, priority)
        finally:
            incoming.close()

    async def _may_begin(self, priority: Priority, user: bytes, incoming: Incoming) -> bool:
        place = self._limiter.ask(priority, user)
        if isinstance(place, bool):
            return place
        begun = monotonic()
        try:
            has_turn = await place.turn
            waited = monotonic() - begun
            metrics.waited(priority, waited)
            # Only now, and not for the many who are refused: it costs as much as a refusal.
            if has_turn and waited > STAYS_SECONDS and await incoming.has_gone():
                self._limiter.withdraw(place)
                return False
        except BaseException:  # cancelled: the server stops
            self._limiter.withdraw(place)
            raise
        return has_turn

    async def _serve(
        self, scope: HTTPScope, incoming: Incoming, send: Send, user: bytes, purpose: Purpose
    ) -> None:
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        turn = Turn(self._limiter, user, purpose)
        token = PURPOSE.set(purpose)
        try:
            await self._app(scope, incoming, watched)
        finally:
            PURPOSE.reset(token)
            is_in_time = status < 500 and monotonic() <= purpose.until
            purpose.end()
            self._users.learn(scope)
            turn.end()
            metrics.answered(purpose.priority, is_in_time=is_in_time)

    async def _refuse(self, scope: HTTPScope, send: Send, priority: Priority) -> None:
        metrics.refused(priority)
        self._limiter.refused(priority)
        answer = self._answers.of_route(scope["method"], scope["path"])
        status, headers, body = answer or self._answer_of(scope, priority)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        content = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": content, "more_body": False})

    def _answer_of(self, scope: HTTPScope, priority: Priority) -> Answer:
        given = dict(scope["headers"])
        return self._answers.of(
            priority,
            given,
            is_looking=scope["method"] in ("GET", "HEAD"),
            is_page=self._wants_page(scope["path"], given.get(b"accept", b"").decode("latin-1")),
        )
