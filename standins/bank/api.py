"""The SNAP BI API that the merchant calls: routes below `/snap`, every answer in SNAP's form.

An answer has `responseCode` (HTTP status, service, case; see `answers`) and `responseMessage`.  A
call is authenticated, acted upon and answered, in this order, unless a response override or a
fault switch says otherwise.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from standins.bank.answers import Case, Refused, accepted, refused
from standins.bank.authentication import TOKEN_SECONDS, Authenticator, Call
from standins.bank.fields import mandatory_text, read_body
from standins.bank.history import Facts, History
from standins.bank.mix_ups import mixed_up
from standins.bank.overrides import ResponseOverride, ResponseOverrides
from standins.bank.snap import Services
from standins.faults import Faults

TOKEN_SERVICE = "73"  # noqa: S105 - the code of the token service, no secret
BASE = "/snap/v1.0"

log = logging.getLogger(__name__)

Act = Callable[[Call], Facts]


class SnapApi:
    """The routes below `/snap`: token, QR services, transaction history."""

    def __init__(
        self,
        authenticator: Authenticator,
        services: Services,
        history: History,
        faults: Faults,
        overrides: ResponseOverrides,
    ) -> None:
        self._authenticator = authenticator
        self._services = services
        self._history = history
        self._faults = faults
        self._overrides = overrides

    def add_routes(self, app: web.Application) -> None:
        """Add the routes; other paths below `/snap` get SNAP's "not supported" too."""
        route = app.router.add_route
        route("*", f"{BASE}/access-token/b2b", self._endpoint(TOKEN_SERVICE, self._token))
        for path, (code, service) in self._services.by_path().items():
            route("*", f"{BASE}/qr/{path}", self._endpoint(code, self._authenticated(service)))
        for path, (code, service) in self._history.by_path().items():
            route("*", f"{BASE}/{path}", self._endpoint(code, self._authenticated(service)))
        route("*", "/snap/{rest:.*}", self._endpoint("00", _not_supported))

    def _token(self, call: Call) -> Facts:
        token = self._authenticator.issue_token(call)
        if mandatory_text(read_body(call.body), "grantType") != "client_credentials":
            raise Refused(Case.INVALID_FIELD, "grantType")
        return {"accessToken": token, "tokenType": "Bearer", "expiresIn": str(TOKEN_SECONDS)}

    def _authenticated(self, service: Callable[..., Facts]) -> Act:
        def act(call: Call) -> Facts:
            self._authenticator.authenticate(call)
            return mixed_up(self._faults, service(read_body(call.body)))

        return act

    def _endpoint(
        self, code: str, act: Act
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            override = self._overrides.take(code) or ResponseOverride()
            response = await _answered(request, code, act if override.act else _nothing)
            # After the act: a merchant whose call timed out finds that it was carried out.
            await asyncio.sleep(self._delay(code) + override.delay_seconds)
            if override.hang_up and request.transport is not None:
                request.transport.close()
            return override.apply_to(response)

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
    except Exception:  # the edge: after an error of ours too the partner gets a SNAP answer
        log.exception("service %s failed", code)
        return refused(code, Refused(Case.GENERAL_ERROR))


def _nothing(_: Call) -> Facts:
    return {}


def _not_supported(_: Call) -> Facts:
    raise Refused(Case.NOT_SUPPORTED)
