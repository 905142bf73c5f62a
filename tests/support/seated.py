"""Somebody of staff in front of a real browser."""

from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import BrowserContext

from tests.support.desk import Desk, staff_session
from tests.support.instance import Instance


def seated(context: BrowserContext, instance: Instance, *roles: str) -> Desk:
    """Somebody with these roles, whose session this browser has.

    Not a supervisor: from then on commands of the instance, which other tests share, would ask for `--by`.
    """
    assert "supervisor" not in roles, "commands of the instance would ask for --by"
    # In a thread of its own: the one of the browser has an event loop that runs.
    with ThreadPoolExecutor(1) as pool:
        desk = pool.submit(staff_session, instance, *roles).result()
    name, _, value = desk.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": instance.url}])
    return desk
