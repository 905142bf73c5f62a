"""A member of staff in front of a real browser."""

from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import BrowserContext

from tests.support.desk import Desk, staff_session
from tests.support.instance import Instance


def seated(context: BrowserContext, instance: Instance, *roles: str) -> Desk:
    """Sign in a member of staff with these roles in this browser.

    Not for a supervisor: once one exists, commands of the instance, which other tests share, demand `--by`.
    """
    assert "supervisor" not in roles, "commands of the instance would ask for --by"
    # In a thread of its own, since the browser's event loop runs in this one.
    with ThreadPoolExecutor(1) as pool:
        desk = pool.submit(staff_session, instance, *roles).result()
    name, _, value = desk.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": instance.url}])
    return desk
