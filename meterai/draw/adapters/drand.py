"""Fetches a round of drand (a signed random value) over HTTP, from any of several relays.

Relays are not trusted: an answer without a valid signature of the round is ignored.  So one honest relay is enough.  A relay
that lies, stalls or sends endless data delays a request by at most its time limit.
"""

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec
import structlog

from meterai.draw.protocol.chain import BeaconChain, RoundForged, hash_of, randomness_of
from meterai.kit.text import one_line
from meterai.plumbing.work.outgoing import NotBegun, Outgoing

RELAYS_MAX = 8
ANSWER_BYTES_MAX = 4096  # an answer has about 250
# A relay that takes longer is asked again in the next run of the periodic task.
ANSWER_SECONDS_MAX = 5.0
_SILENCE = (aiohttp.ClientError, TimeoutError, OSError)
_log = structlog.get_logger()


class _BeaconAnswer(msgspec.Struct):
    """Answer of a relay, with only the fields that are used."""

    signature: str


class _Relay:
    """A relay.  One event is logged when it begins to fail, and one when it answers again; no event for each failed request."""

    def __init__(self, url: str, outgoing: Outgoing) -> None:
        self._url = url
        self._outgoing = outgoing
        self._fails = False

    async def ask(
        self, session: aiohttp.ClientSession, chain: BeaconChain, number: int
    ) -> str | None:
        """Return the relay's signature of a round if it is valid, else None."""
        try:
            signature = await self._answer(session, chain, number)
        except NotBegun:
            return None
        except (*_SILENCE, ValueError, RecursionError, RoundForged) as error:
            if not self._fails:
                self._fails = True
                fault = one_line(repr(error))
                _log.warning("drand_relay_failed", relay=self._url, round=number, fault=fault)
            return None
        if self._fails and signature is not None:
            self._fails = False
            _log.info("drand_relay_answers", relay=self._url, round=number)
        return signature

    async def _answer(
        self, session: aiohttp.ClientSession, chain: BeaconChain, number: int
    ) -> str | None:
        place = f"{self._url}/{hash_of(chain)}/public/{number}"
        with self._outgoing.call():
            async with session.get(place, allow_redirects=False) as response:
                if response.status != 200:
                    return None  # the round does not exist yet, which is no fault
                answer = await _bounded(response.content)
        signature = msgspec.json.decode(answer, type=_BeaconAnswer).signature
        randomness_of(chain, number, signature)
        return signature


class Relays:
    """Asks all configured relays; each is given by a base URL such as `https://api.drand.sh`."""

    def __init__(self, urls: Sequence[str], timeout_seconds: float = ANSWER_SECONDS_MAX) -> None:
        # Each relay has a separate circuit, so that a silent relay does not stop requests to the others.
        self._relays = [
            _Relay(url.rstrip("/"), Outgoing("drand", *_SILENCE)) for url in urls[:RELAYS_MAX]
        ]
        self._timeout_seconds = timeout_seconds

    async def signature_of(self, chain: BeaconChain, number: int) -> str | None:
        """Return the verified signature of a round; None if no relay gives a valid one in time."""
        timeout = aiohttp.ClientTimeout(total=self._timeout_seconds)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            asked = [
                asyncio.create_task(relay.ask(session, chain, number)) for relay in self._relays
            ]
            try:
                for answered in asyncio.as_completed(asked):
                    signature = await answered
                    if signature is not None:
                        return signature
            finally:
                for task in asked:
                    task.cancel()
                await asyncio.gather(*asked, return_exceptions=True)
        return None


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """Read the whole body of an answer.  Raises `ValueError` if it is longer than `ANSWER_BYTES_MAX`."""
    try:
        await content.readexactly(ANSWER_BYTES_MAX + 1)
    except asyncio.IncompleteReadError as whole:
        return whole.partial
    raise ValueError("the answer is too long")
