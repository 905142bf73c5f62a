"""Webhooks in the console: failing endpoints, sent messages, and replays."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from meterai.kit.ids import show
from meterai.kit.refusal import NotFound
from meterai.webhooks import disabled_by_account
from meterai.webhooks.model import ENDPOINT_KIND, WebhookNotEnabled
from tests.support.commands import Done, run_here
from tests.support.pulling import member
from tests.webhooks.conftest import Hooked

Webhooks = Callable[..., Done]


@pytest.fixture
def webhooks(hooked: Hooked, database_url: str, tmp_path: Path) -> Webhooks:
    def run(*words: str) -> Done:
        return run_here(tmp_path, "webhooks", *words, DATABASE_URL=database_url)

    return run


def undelivered(hooked: Hooked) -> str:
    """An endpoint with an undelivered message."""
    made, _ = hooked.make("/status/500")
    hooked.test(made)
    hooked.deliver()
    hooked.shop.arrange("UPDATE webhook_messages SET state = 'undelivered'")
    return show(ENDPOINT_KIND, made.id)


def test_replay_lever_forecasts_the_number_of_messages(hooked: Hooked) -> None:
    webhook = undelivered(hooked)
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    one = member(hooked.shop, "operations")
    forecast = one.forecast("webhooks replay", webhook=webhook, since=since)
    assert forecast.rows == 1
    assert one.pull("webhooks replay", webhook=webhook, since=since).is_done
    [message] = hooked.messages()
    assert message["state"] == "waiting"
    assert one.forecast("webhooks replay", webhook=webhook, since=since).rows == 0


def test_replay_to_a_disabled_endpoint_is_refused(hooked: Hooked) -> None:
    webhook = undelivered(hooked)
    hooked.shop.arrange("UPDATE webhook_endpoints SET state = 'disabled', why = 'failing'")
    one = member(hooked.shop, "operations")
    with pytest.raises(WebhookNotEnabled):
        one.forecast("webhooks replay", webhook=webhook, since="2026-11-01")
    with pytest.raises(NotFound):
        one.forecast("webhooks replay", webhook=webhook[:-4] + "0000", since="2026-11-01")


def test_only_endpoints_disabled_by_the_platform_are_counted(hooked: Hooked) -> None:
    undelivered(hooked)

    async def ask() -> dict[UUID, int]:
        async with hooked.container.database.reading() as tx:
            return await disabled_by_account(tx)

    hooked.shop.arrange("UPDATE webhook_endpoints SET state = 'disabled', why = 'asked'")
    assert hooked.do(ask()) == {}
    hooked.shop.arrange("UPDATE webhook_endpoints SET why = 'gone'")
    assert hooked.do(ask()) == {hooked.account: 1}
