"""Calls of SNAP BI services; each answer is compared with the subject of its call.

An answer is done, refused (4xx with a response code), or of unknown outcome: the module `reading` decides which.  The module
`wire` sends the call.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import structlog

from meterai.kit.clock import Clock
from meterai.payments.adapters.snap import reading
from meterai.payments.adapters.snap.bank import Access
from meterai.payments.adapters.snap.reading import Answer, case_of
from meterai.payments.adapters.snap.wire import Wire, call_seconds_max
from meterai.payments.metrics import count_call
from meterai.payments.model import (
    AboutAnother,
    NoAnswer,
    OutcomeUnknown,
    PaymentIdentity,
    ProviderRefused,
    ProviderUnreachable,
)

_log = structlog.get_logger()


class SnapClient:
    """Client of the services of one bank, with persistent connections."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self.access = access
        self.clock = clock
        self._wire = Wire(access, clock)

    async def connect(self) -> None:
        """Prepare connections to the bank; sends nothing."""
        await self._wire.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    def has(self, service: str) -> bool:
        """True if the profile of the bank has a service of this code."""
        return service in self.access.profile.paths

    async def call(
        self, service: str, about: PaymentIdentity, content: Mapping[str, object]
    ) -> Answer:
        """Call a service with the body `content`, and compare the answer with `about` and with our identity.

        Refuses as the calls of `Rail` do; an answer about another subject (`AboutAnother`) is logged here.
        """
        if not self.has(service):
            raise ProviderRefused(f"405{service}00", "the profile of the bank has no such service")
        name = self.access.profile.paths[service].rsplit("/", 1)[1]
        ours = self.access.bank.ourselves
        asked = replace(
            about,
            merchant=ours.merchant,
            store=ours.store,
            terminal=ours.terminal,
            aliases=ours.aliases,
        )
        try:
            async with asyncio.timeout(call_seconds_max(self.access.bank.timeout_seconds)):
                answer = await self._answer(service, msgspec.json.encode(content), asked)
        except TimeoutError:
            count_call(name, OutcomeUnknown.code)
            raise NoAnswer("no answer in time") from None
        except ProviderRefused as refusal:
            count_call(name, case_of(refusal, service))
            raise
        except (OutcomeUnknown, ProviderUnreachable) as refusal:
            if isinstance(refusal, AboutAnother):
                _log.warning("answer_about_another", call=name, differs=str(refusal))
            count_call(name, refusal.code)
            raise
        count_call(name, "done")
        return answer

    async def _answer(self, service: str, body: bytes, asked: PaymentIdentity) -> Answer:
        status, raw, token = await self._wire.call(service, body)
        try:
            return reading.read_answer(service, status, raw, asked)
        except ProviderRefused as refusal:
            if case_of(refusal, service) != "40101" or not token:
                raise
        self._wire.drop_token(token)
        status, raw, _ = await self._wire.call(service, body)
        return reading.read_answer(service, status, raw, asked)
