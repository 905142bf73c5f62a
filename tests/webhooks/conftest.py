"""An account with a receiver: a test decides when its webhooks are delivered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from meterai.accounts import PERMISSIONS
from meterai.accounts.model import Role
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import Row
from meterai.room import Container
from meterai.webhooks.delivering import WebhookDelivery
from meterai.webhooks.model import Endpoint, Message
from meterai.webhooks.service import WebhookService, WebhookWish
from standins.receiver import Receiver
from tests.support.shop import Shop, open_shop

ACTOR = Actor(ActorKind.ACCOUNT)
HELD = PERMISSIONS[Role.OWNER]


@dataclass
class Hooked:
    """A shop whose account has endpoints at a receiver."""

    shop: Shop
    receiver: Receiver

    def do(self, work: Any) -> Any:
        return self.shop.do(work)

    @property
    def container(self) -> Container:
        return self.shop.container

    @property
    def webhooks(self) -> WebhookService:
        return self.container.of(WebhookService)

    @property
    def account(self) -> UUID:
        return self.shop.account

    @property
    def actor(self) -> Actor:
        return ACTOR

    def make(self, path: str = "/ok", events: Sequence[str] = ("*",)) -> tuple[Endpoint, str]:
        """An endpoint at a path of the receiver, and its secret."""
        wish = WebhookWish(self.receiver.url + path, list(events), "", HELD)
        made, secret = self.do(self.webhooks.make(self.account, wish, new_id().hex, actor=ACTOR))
        assert secret is not None
        return made, secret

    def test(self, endpoint: Endpoint) -> UUID:
        """A test message, queued."""
        found: Message = self.do(self.webhooks.test(self.account, endpoint.id, actor=ACTOR))
        return found.id

    def deliver(self) -> int:
        """Try everything due in both pools once."""
        return int(self.do(self._deliver()))

    async def _deliver(self) -> int:
        delivery = self.container.of(WebhookDelivery)
        return await delivery.worker_pool().once() + await delivery.aside().once()

    def make_due(self) -> None:
        """Make all waiting messages due now."""
        self.shop.call("UPDATE webhook_messages SET try_at = now() WHERE state = 'waiting'")

    def find(self, endpoint: Endpoint) -> Endpoint:
        """Current state of the endpoint."""
        found: Endpoint = self.do(self.webhooks.find(self.account, endpoint.id))
        return found

    def messages(self) -> list[Row]:
        """All messages, the oldest first."""
        return self.shop.rows("SELECT * FROM webhook_messages ORDER BY message_id")

    def attempts(self) -> list[Row]:
        """All attempts."""
        return self.shop.rows("SELECT * FROM webhook_attempts ORDER BY message_id, number")


@pytest.fixture
def hooked(database_url: str, tmp_path: Path) -> Iterator[Hooked]:
    """A shop, and a receiver on loopback that it may send to."""
    with open_shop(database_url, tmp_path) as shop:
        receiver = Receiver()
        shop.do(receiver.serve())
        yield Hooked(shop, receiver)
        shop.do(receiver.stop())
