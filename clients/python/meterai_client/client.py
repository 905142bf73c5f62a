"""The two clients, synchronous and asynchronous. Both have the same operations."""

from types import TracebackType
from typing import Generic, Self

import httpx2

from meterai_client.calling import Retrying
from meterai_client.operations import R
from meterai_client.resources import (
    Batches,
    Cases,
    Collectors,
    Installation,
    Lines,
    Orders,
    Organizations,
    Refunds,
    Resellers,
    Sales,
    Shops,
    Stampings,
    Verifications,
    Webhooks,
)
from meterai_client.transports import Awaiting, Waiting


class _Resources(Generic[R]):
    """All operations, grouped by subject."""

    def __init__(self, runner: R, retrying: Retrying) -> None:
        self._runner = runner
        self.orders = Orders(runner, retrying)
        self.stampings = Stampings(runner, retrying)
        self.batches = Batches(runner, retrying)
        self.verifications = Verifications(runner, retrying)
        self.refunds = Refunds(runner, retrying)
        self.sales = Sales(runner, retrying)
        self.resellers = Resellers(runner, retrying)
        self.shop = Shops(runner, retrying)
        self.collector = Collectors(runner, retrying)
        self.webhooks = Webhooks(runner, retrying)
        self.cases = Cases(runner, retrying)
        self.organization = Organizations(runner, retrying)
        self.lines = Lines(runner, retrying)
        self.installation = Installation(runner, retrying)


class Meterai(_Resources[Waiting]):
    """Client of one installation. It is thread-safe; close it, or use it as a context.

    `url`       address of the installation
    `key`       API key; without a key only checks are possible
    `language`  language of the sentences in refusals: `en` or `id`
    `http`      an `httpx2.Client` of your own, for a proxy or certificates; its time-outs are not used
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        language: str = "en",
        retrying: Retrying | None = None,
        http: httpx2.Client | None = None,
    ) -> None:
        super().__init__(Waiting(url, key, language, http), retrying or Retrying())

    def close(self) -> None:
        """Close the connections."""
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncMeterai(_Resources[Awaiting]):
    """Client of one installation for an event loop. The arguments are those of `Meterai`; `http` is an `httpx2.AsyncClient`."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        language: str = "en",
        retrying: Retrying | None = None,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        super().__init__(Awaiting(url, key, language, http), retrying or Retrying())

    async def close(self) -> None:
        """Close the connections."""
        await self._runner.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
