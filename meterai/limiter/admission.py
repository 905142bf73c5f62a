"""Admission of a request: the request begins, waits for a permit, or is refused."""

from collections.abc import Callable
from time import monotonic

from litestar.types import HTTPScope

from meterai.kit.priority import ALLOWANCES, Priority
from meterai.limiter import metrics
from meterai.limiter.answers import Answer, Answers, Header, told_limit
from meterai.limiter.limiter import Limiter
from meterai.limiter.permit import Permit
from meterai.limiter.priorities import Priorities
from meterai.limiter.users import Users
from meterai.plumbing.http.head import head_of
from meterai.plumbing.http.incoming import Incoming
from meterai.plumbing.http.language import language_for
from meterai.plumbing.observe.stations import Station
from meterai.plumbing.permits import PURPOSE, WorkPurpose

STAYS_SECONDS = 0.1  # after a longer wait the request is checked for a client that has gone
_NO_STATION = Station("")  # counts the waits of other priorities, and is not exported
# Takes path and Accept header of a request; True if its client wants a page.
WantsPage = Callable[[str, str], bool]


class AdmittedRequest:
    """A request that has begun. The code that admitted it calls `end` once."""

    __slots__ = ("_permit", "_purpose", "_scope", "_token", "_user", "_users")

    def __init__(
        self, scope: HTTPScope, limiter: Limiter, users: Users, user: bytes, purpose: WorkPurpose
    ) -> None:
        self._scope = scope
        self._users = users
        self._user = user
        self._purpose = purpose
        self._permit = Permit(limiter, user, purpose)
        self._token = PURPOSE.set(purpose)

    def rate_limit(self) -> tuple[Header, ...]:
        """Return the headers with the limit of requests under way in this process, and how many more may begin."""
        limiter = self._permit.limiter
        return told_limit(limiter.limit, limiter.free(self._purpose.priority))

    def end(self, status: int) -> None:
        """End the request. `status` is the HTTP status of its answer; 500 if nothing was answered."""
        PURPOSE.reset(self._token)
        is_in_time = status < 500 and monotonic() <= self._purpose.until
        self._purpose.end()
        self._users.learn(self._scope, self._user)
        self._permit.end()
        metrics.answered(self._purpose.priority, is_in_time=is_in_time)


class Admission:
    """Admits as many requests to an application as it can serve, the most urgent first."""

    def __init__(
        self,
        limiter: Limiter,
        priorities: Priorities,
        users: Users,
        answers: Answers,
        wants_page: WantsPage,
    ) -> None:
        self._limiter = limiter
        self._priorities = priorities
        self._users = users
        self._answers = answers
        self._wants_page = wants_page

    async def let_in(self, scope: HTTPScope, incoming: Incoming) -> AdmittedRequest | Answer | None:
        """Wait for a permit, and return the request as begun. Return the refusal to send if it gets no permit, and None if
        its client has gone.
        """
        begun = monotonic()
        priority = self._priorities.of(scope["method"], scope["path"])
        if self._limiter.is_full(priority):  # before more costly steps
            return self._refused(scope, priority)
        user = self._users.of(scope)
        if await self._may_begin(priority, user, incoming):
            until = begun + ALLOWANCES[priority].total_seconds
            purpose = WorkPurpose(priority, until, incoming.was_left)
            return AdmittedRequest(scope, self._limiter, self._users, user, purpose)
        return None if incoming.is_gone else self._refused(scope, priority)

    async def _may_begin(self, priority: Priority, user: bytes, incoming: Incoming) -> bool:
        request = self._limiter.ask(priority, user)
        station = self._limiter.station if priority is Priority.CHECKOUT else _NO_STATION
        if isinstance(request, bool):
            station.at_once()
            return request
        begun = monotonic()
        try:
            with station.waiting():
                has_permit = await request.permit
            waited = monotonic() - begun
            metrics.waited(priority, waited)
            # Checked only here, not for the many refused requests: it costs as much as a refusal.
            if has_permit and waited > STAYS_SECONDS and await incoming.has_gone():
                self._limiter.withdraw(request)
                return False
        except BaseException:  # cancelled: the server stops
            self._limiter.withdraw(request)
            raise
        return has_permit

    def _refused(self, scope: HTTPScope, priority: Priority) -> Answer:
        metrics.refused(priority)
        if priority <= Priority.CHECKOUT:
            self._limiter.refusals.add(self._users.apart(scope))
        if (own := self._answers.of_route(scope["method"], scope["path"])) is not None:
            return own
        return self._answers.of(
            priority,
            language_for(scope),
            is_looking=scope["method"] == "GET",
            is_page=self._wants_page(scope["path"], head_of(scope).text(b"accept")),
        )
