"""The SNAP BI API that the merchant calls, at the paths of the profile; every answer in SNAP's form.

An answer has `responseCode` (HTTP status, service, case; see `answers`) and `responseMessage`.  A call is authenticated,
carried out and answered, in this order, unless a response override or a fault switch changes that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from standins.bank.answers import Case, Refused, accepted, answer, refused
from standins.bank.authentication import TOKEN_SECONDS, Authenticator, Call
from standins.bank.fields import Body, mandatory_text, read_body
from standins.bank.mix_ups import mixed_up
from standins.bank.overrides import ResponseOverride, ResponseOverrides
from standins.bank.profile import METHODS, Facts, Profile
from standins.bank.storm import BankFaults, answer_of

TOKEN_SERVICE = "73"  # noqa: S105 - the code of the token service, no secret

log = logging.getLogger(__name__)

Service = Callable[[Body], dict[str, object]]
Act = Callable[[Call], Facts]


class SnapApi:
    """The routes of the token service, and of the services that are given by their codes."""

    def __init__(
        self,
        authenticator: Authenticator,
        profile: Profile,
        services: Mapping[str, Service],
        faults: BankFaults,
        overrides: ResponseOverrides,
    ) -> None:
        self._authenticator = authenticator
        self._profile = profile
        self._services = services
        self._faults = faults
        self._overrides = overrides

    def add_routes(self, app: web.Application) -> None:
        """Add the routes; for other paths below the same prefix the answer is SNAP's "not supported"."""
        route = app.router.add_route
        acts = {code: self._authenticated(one) for code, one in self._services.items()}
        acts[TOKEN_SERVICE] = self._token
        for code, path in self._profile.paths.items():
            route("*", path, self._endpoint(code, acts[code]))
        for base in {path.split("/")[1] for path in self._profile.paths.values()}:
            route("*", f"/{base}/{{rest:.*}}", self._endpoint("00", _not_supported))

    def _token(self, call: Call) -> Facts:
        token = self._authenticator.issue_token(call)
        if mandatory_text(read_body(call.body), "grantType") != "client_credentials":
            raise Refused(Case.INVALID_FIELD, "grantType")
        return {"accessToken": token, "tokenType": "Bearer", "expiresIn": str(TOKEN_SECONDS)}

    def _authenticated(self, service: Service) -> Act:
        def act(call: Call) -> Facts:
            self._authenticator.authenticate(call)
            return mixed_up(self._faults, service(read_body(call.body)))

        return act

    def _endpoint(
        self, code: str, act: Act
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def endpoint(request: web.Request) -> web.StreamResponse:
            strike = self._faults.storm.strike(f"call {code}")
            override = self._overrides.take(code) or answer_of(strike) or ResponseOverride()
            switch = None if strike is None else strike.fault
            response = await self._answered(
                request, code, act if override.act else _nothing, switch
            )
            # After the act: a merchant whose call timed out finds that it was carried out.
            await asyncio.sleep(self._delay(code) + override.delay_seconds)
            if override.hang_up and request.transport is not None:
                request.transport.close()
            return override.apply_to(response)

        return endpoint

    def _delay(self, code: str) -> float:
        slow = self._faults.seconds("token_delay_seconds") if code == TOKEN_SERVICE else 0.0
        return self._faults.seconds("response_delay_seconds") + slow

    async def _answered(
        self, request: web.Request, code: str, act: Act, switch: str | None
    ) -> web.Response:
        try:
            if request.method != METHODS.get(code, "POST"):
                raise Refused(Case.NOT_SUPPORTED)
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                raise Refused(Case.BAD_REQUEST, "[Body too large]") from None
            call = Call(request.method, request.raw_path, request.headers, body)
            with self._faults.armed(switch):
                found = accepted(code, act(call))
        except Refused as refusal:
            found = refused(code, refusal)
        except (
            Exception
        ):  # outermost handler: the partner gets a SNAP answer even after an error of this program
            log.exception("service %s failed", code)
            found = refused(code, Refused(Case.GENERAL_ERROR))
        return answer(found.status, self._profile.spelled(found.facts))


def _nothing(_: Call) -> Facts:
    return {}


def _not_supported(_: Call) -> Facts:
    raise Refused(Case.NOT_SUPPORTED)
