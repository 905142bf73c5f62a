"""Concurrent resolutions of one item."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg

from meterai.kit.ids import new_id
from tests.support.instance import until
from tests.support.shop import Shop

KEEP = "SELECT suspense_keep(%s, 'news', 'notification', 'unreadable', NULL, NULL, NULL, false, 'x', 60)"
RESOLVE = "SELECT suspense_resolve(%s, %s, %s, 'seen')"
WAITS = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def resolve(url: str, item: UUID, how: str, who: str) -> str:
    with psycopg.connect(url) as connection:
        [outcome] = connection.execute(RESOLVE, [item, how, who]).fetchone() or [None]
    return str(outcome)


def test_concurrent_second_resolution_is_answered_as_known(shop: Shop) -> None:
    url, item = shop.container.database.url, new_id()
    shop.call(KEEP, item)
    with psycopg.connect(url) as first, ThreadPoolExecutor(1) as pool:
        first.execute(RESOLVE, [item, "dismissed", "ani"])
        second = pool.submit(resolve, url, item, "explained", "budi")
        until("the second waits", lambda: shop.watch(WAITS))
        first.commit()
        assert second.result() == "known"
    [row] = shop.rows("SELECT resolution, resolved_by FROM suspense_items WHERE item_id = %s", item)
    assert (row["resolution"], row["resolved_by"]) == ("dismissed", "ani")
