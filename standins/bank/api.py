"""The counter where the partner's SNAP calls come in; every answer from here is SNAP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from standins.bank.answers import Case, Refused, accepted, refused
from standins.bank.authentication import TOKEN_SECONDS, Call, Gate
from standins.bank.fields import mandatory_text, read_body
from standins.bank.history import Facts, History
from standins.bank.overrides import OddAnswer, OddAnswers
from standins.bank.snap import Services
from standins.faults import Faults

TOKEN_SERVICE = "73"  # noqa: S105 - the code of the token service, no secret
BASE = "/snap/v1.0"

log = logging.getLogger(__name__)

Act = Callable[[Call], Facts]


class Counter:
    """Routes of the SNAP side."""

    def __init__(
        self,
        gate: Gate,
        services: Services,
        history: History,
        faults: Faults,
        odd: OddAnswers,
    ) -> None:
        self._gate = gate
        self._services = services
        self._history = history
        self._faults = faults
        self._odd = odd

    def open(self, app: web.Application) -> None:
        """Add the routes; other paths below `/snap` get SNAP's "not supported" too."""
        route = app.router.add_route
        route("*", f"{BASE}/access-token/b2b", self._endpoint(TOKEN_SERVICE, self._token))
        for path, (code, service) in self._services.by_path().items():
            route("*", f"{BASE}/qr/{path}", self._endpoint(code, self._admitted(service)))
        for path, (code, service) in self._history.by_path().items():
            route("*", f"{BASE}/{path}", self._endpoint(code, self._admitted(service)))
        route("*", "/snap/{rest:.*}", self._endpoint("00", _not_supported))

    def _token(self, call: Call) -> Facts:
        token = self._gate.give_token(call)
        if mandatory_text(read_body(call.body), "grantType") != "client_credentials":
            raise Refused(Case.INVALID_FIELD, "grantType")
        return {"accessToken": token, "tokenType": "Bearer", "expiresIn": str(TOKEN_SECONDS)}

    def _admitted(self, service: Callable[..., Facts]) -> Act:
        def act(call: Call) -> Facts:
            self._gate.admit(call)
            return service(read_body(call.body))

        return act

    def _endpoint(
        self, code: str, act: Act
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            odd = self._odd.take(code) or OddAnswer()
            response = await _answered(request, code, act if odd.act else _nothing)
            # After the act: a merchant that gives up waiting finds the act done all the same.
            await asyncio.sleep(self._delay(code) + odd.delay_seconds)
            if odd.hang_up and request.transport is not None:
                request.transport.close()
            return odd.spoilt(response)

        return endpoint

    def _delay(self, code: str) -> float:
        slow = self._faults.seconds("token_delay_seconds") if code == TOKEN_SERVICE else 0.0
        return self._faults.seconds("response_delay_seconds") + slow


async def _answered(request: web.Request, code: str, act: Act) -> web.Response:
    try:
        if request.method != "POST":
            raise Refused(Case.NOT_SUPPORTED)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Refused(Case.BAD_REQUEST, "[Body too large]") from None
        return accepted(code, act(Call("POST", request.raw_path, request.headers, body)))
    except Refused as refusal:
        return refused(code, refusal)
    except Exception:  # the edge: whatever breaks in here, the partner gets SNAP
        log.exception("service %s broke", code)
        return refused(code, Refused(Case.GENERAL_ERROR))


def _nothing(_: Call) -> Facts:
    return {}


def _not_supported(_: Call) -> Facts:
    raise Refused(Case.NOT_SUPPORTED)
