"""The relay: serves the rounds of one chain over HTTP, from their time on."""

import asyncio
import hashlib
import secrets
from pathlib import Path

from aiohttp import web

from standins.clock import now_ms
from standins.drand.chain import ROUNDS, Chain, signature_of
from standins.drand.fault_switches import FAULT_SWITCHES
from standins.faults import SCHEMA, Faults
from standins.refusal import NotFound
from standins.state import open_state
from standins.web import application, json_object, serve

ENDLESS_BYTES = 32 * 1024 * 1024  # under the fault `endless`; more than a client may read
TOO_EARLY = 425  # RFC 8470; drand's relays send it for a future round


class Relay:
    """Serves the rounds of a chain; its faults are kept in `directory`."""

    def __init__(self, directory: Path, chain: Chain) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.chain = chain
        self._state = open_state(directory / "drand.sqlite", SCHEMA)
        self.faults = Faults(self._state, FAULT_SWITCHES)
        self._runner: web.AppRunner | None = None
        self._app = application()
        self._app.router.add_routes(
            [
                web.get("/chains", self._chains),
                web.get("/{chain:[0-9a-f]{64}}/info", self._info),
                web.get("/{chain:[0-9a-f]{64}}/public/{round:[0-9]{1,18}|latest}", self._round),
                web.post("/standin/faults", self._set_faults),
                web.get("/standin/faults", self._show_faults),
                web.delete("/standin/faults", self._clear_faults),
            ]
        )

    async def serve(self, host: str, port: int) -> str:
        """Listen. Return the base URL."""
        self._runner, url = await serve(self._app, host, port)
        return url

    async def stop(self) -> None:
        """Stop listening and close the file."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._state.close()

    async def _chains(self, _: web.Request) -> web.Response:
        return web.json_response([self.chain.hash])

    async def _info(self, request: web.Request) -> web.Response:
        self._check_chain(request)
        return web.json_response(self.chain.info())

    async def _round(self, request: web.Request) -> web.Response:
        self._check_chain(request)
        await asyncio.sleep(self.faults.seconds("response_delay_seconds"))
        newest = min(self.chain.newest(now_ms() / 1000), ROUNDS)
        asked = request.match_info["round"]
        number = newest if asked == "latest" else int(asked)
        if not 1 <= number <= ROUNDS:
            raise NotFound("no such round")
        if number > newest and not self.faults.is_on("early"):
            return web.json_response({"message": "too early"}, status=TOO_EARLY)
        return self._faulty() or web.json_response(self._told(number))

    def _told(self, number: int) -> dict[str, object]:
        signature = signature_of(number % ROUNDS + 1 if self.faults.take("lies") else number)
        return {
            "round": number + self.faults.take("claims"),
            "randomness": hashlib.sha256(bytes.fromhex(signature)).hexdigest(),
            "signature": signature,
        }

    def _faulty(self) -> web.Response | None:
        if self.faults.take("unavailable"):
            return web.Response(status=503)
        if self.faults.take("redirect"):
            return web.Response(status=302, headers={"Location": "/healthz"})
        if self.faults.take("garbage"):
            return web.Response(body=secrets.token_bytes(200))
        if self.faults.take("endless"):
            return web.Response(body=b" " * ENDLESS_BYTES)
        return None

    def _check_chain(self, request: web.Request) -> None:
        if request.match_info["chain"] != self.chain.hash:
            raise NotFound("no such chain")

    async def _set_faults(self, request: web.Request) -> web.Response:
        self.faults.apply(await json_object(request))
        return web.json_response(self.faults.values())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self.faults.values())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response(self.faults.values())
