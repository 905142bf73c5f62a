"""Endpoints that accept messages, refuse them, or are slow, and a message signed with the secret of another
endpoint."""

import secrets
from datetime import UTC, datetime

from meterai.accounts import PERMISSIONS, Role
from meterai.kit.actor import Actor, ActorKind
from meterai.webhooks import store as webhook_store
from meterai.webhooks.model import Attempted, DueMessage, WebhookAttempt
from meterai.webhooks.service import WebhookService, WebhookWish
from meterai.webhooks.signing import PURPOSE, Safe
from tests.support.history import History

AFTER = ("recovery",)


def happen(history: History) -> None:
    shop, actor = history.shop, Actor(ActorKind.ACCOUNT)
    webhooks = shop.container.of(WebhookService)
    safe = Safe(shop.container.keyring.derived(PURPOSE))

    def ended(status: int, *, is_slow: bool = False) -> None:
        key = secrets.token_hex(8)
        wish = WebhookWish("http://127.0.0.1:9/", ["*"], "", PERMISSIONS[Role.OWNER])
        endpoint, _ = shop.do(webhooks.make(shop.account, wish, key, actor=actor))
        tests = [
            shop.do(webhooks.test(shop.account, endpoint.id, actor=actor)).id for _ in range(2)
        ]
        sealed = safe.made(shop.account, endpoint.id)
        of = DueMessage(shop.account, endpoint.id, tests[0], endpoint.url, "", 1, sealed, None)
        failure = None if status == 200 else "status"
        made = WebhookAttempt(0, datetime.now(UTC), 10, status, b"", failure)
        wait = None if status == 200 else 5.0
        database = shop.container.database
        shop.do(database.once(webhook_store.attempted, [Attempted(of, made, wait, is_slow)]))
        shop.do(webhooks.rotate(shop.account, endpoint.id, key, actor=actor))

    ended(200)
    ended(200, is_slow=True)
    ended(500)
    ended(410)
