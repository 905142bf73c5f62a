"""A stand-in for the authorities behind a seal: time-stamps, OCSP and lists of revocations.

    POST /tsa                  a time-stamp (RFC 3161)
    POST /ocsp                 the state of a certificate (RFC 6960)
    GET  /crl/{key}.crl        the list of the authority whose key has this identifier (RFC 5280)

Routes that only the stand-in has are below `/standin`; `fault_switches` lists the faults that can be set.
"""

import asyncio
import secrets
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding

from standins.authority import status, timestamps
from standins.authority.fault_switches import FAULT_SWITCHES
from standins.authority.keys import Signer, authorities_in, issued_by, new_time_stamper, own_root
from standins.faults import SCHEMA, Faults
from standins.refusal import NotFound
from standins.state import open_state
from standins.web import application, json_object, serve

__all__ = ["Authority", "time_stamp_root"]

ENDLESS_BYTES = 32 * 1024 * 1024  # under the fault `endless`; more than a client may read


def time_stamp_root(directory: Path) -> bytes:
    """Return the root certificate of the time-stamps (PEM), made on the first call. For a caller that must trust it before
    the authority is started.
    """
    return own_root(directory).certificate.public_bytes(Encoding.PEM)


class Authority:
    """The authority. Its state and its own keys are in `directory`; it answers for the certificate authorities
    whose certificate (`*.pem`) and key (`*.key`) are in `issuers` or one folder below that folder."""

    def __init__(self, directory: Path, issuers: Path) -> None:
        self._root = own_root(directory)
        self._issuers = issuers
        self._state = open_state(directory / "authority.sqlite", SCHEMA)
        self._faults = Faults(self._state, FAULT_SWITCHES)
        self._runner: web.AppRunner | None = None
        self._stamper: Signer | None = None
        self._app = application()
        self._app.router.add_routes(
            [
                web.post("/tsa", self._stamp),
                web.post("/ocsp", self._ocsp),
                web.get("/crl/{key:[0-9a-f]{40}}.crl", self._crl),
                web.post("/standin/faults", self._set_faults),
                web.get("/standin/faults", self._show_faults),
                web.delete("/standin/faults", self._clear_faults),
            ]
        )

    async def serve(self, host: str, port: int) -> str:
        """Listen; returns the base URL."""
        self._runner, url = await serve(self._app, host, port)
        self._stamper = new_time_stamper(self._root, url)
        return url

    async def stop(self) -> None:
        """Stop listening and close the file."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._state.close()

    async def _stamp(self, request: web.Request) -> web.Response:
        assert self._stamper is not None
        body = await request.read()
        answer = timestamps.answer(body, self._root, self._stamper, self._faults)
        return await self._answer(answer, "application/timestamp-reply")

    async def _ocsp(self, request: web.Request) -> web.Response:
        if self._faults.take("ocsp_unavailable"):
            return web.Response(status=503)
        answer = status.ocsp_answer(await request.read(), self._authorities(), self._faults)
        return await self._answer(answer, "application/ocsp-response")

    async def _crl(self, request: web.Request) -> web.Response:
        wanted = bytes.fromhex(request.match_info["key"])
        for authority in self._authorities():
            if authority.key_identifier == wanted:
                certificates = issued_by(authority, self._issuers)
                answer = status.revocation_list(authority, certificates, self._faults)
                return await self._answer(answer, "application/pkix-crl")
        raise NotFound("no authority has this key")

    def _authorities(self) -> list[Signer]:
        return [self._root, *authorities_in(self._issuers)]

    async def _answer(self, body: bytes, content_type: str) -> web.Response:
        await asyncio.sleep(self._faults.seconds("response_delay_seconds"))
        if self._faults.take("unavailable"):
            return web.Response(status=503)
        if self._faults.take("redirect"):
            return web.Response(status=302, headers={"Location": "/healthz"})
        if self._faults.take("garbage"):
            body = secrets.token_bytes(len(body))
        if self._faults.take("endless"):
            body = bytes(ENDLESS_BYTES)
        return web.Response(body=body, content_type=content_type)

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._faults.apply(await json_object(request))
        return web.json_response(self._faults.values())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.values())

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response(self._faults.values())
