"""Interruptions of a visitor: no connection, a killed tab, the back button, two tabs, a session that ends.

Phone and desktop, both languages, with and without scripts are spread over the tests, since each combination
would find the same.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Locator, Route, expect

from meterai.drafts.model import PART_BYTES_MAX
from tests.support.applicant import PHONE
from tests.support.instance import Instance
from tests.support.journey import scan
from tests.support.pdf import pdf
from tests.support.walker import DESKTOP, TO_ORDER, Walker

pytestmark = pytest.mark.sample(2, of="file")

PHONE_ID = {"locale": "id-ID", "screen": PHONE}
DESKTOP_EN = {"locale": "en-GB", "screen": DESKTOP}
otherwise = partial(pytest.param, marks=pytest.mark.variant)
everywhere = pytest.mark.parametrize(
    "seat",
    [
        pytest.param(PHONE_ID, id="phone id"),
        otherwise(DESKTOP_EN, id="desktop en"),
        otherwise(PHONE_ID | {"locale": "en-GB", "scripts": False}, id="phone en without scripts"),
        otherwise(
            DESKTOP_EN | {"locale": "id-ID", "scripts": False}, id="desktop id without scripts"
        ),
    ],
)
with_scripts = pytest.mark.parametrize(
    "seat", [pytest.param(PHONE_ID, id="phone id"), otherwise(DESKTOP_EN, id="desktop en")]
)


@pytest.fixture(scope="module")
def shop(instance: Instance) -> Iterator[Instance]:
    yield instance
    instance.assert_audit_holds()


# -- no connection -----------------------------------------------------------------------------


def stays_where_it_is(walker: Walker, pressed: Locator) -> None:
    """Press something without a connection: the page stays, and says what is safe."""
    there = walker.page.url
    walker.context.set_offline(True)
    # The page also reports a lost connection by itself. The press must have detected it before it is restored.
    with walker.page.expect_event("requestfailed", lambda asked: asked.method == "HEAD"):
        pressed.click()
    expect(walker.away).to_be_visible()
    expect(walker.away).not_to_be_empty()
    assert walker.page.url == there
    expect(walker.page.locator("h1")).to_be_visible()
    walker.context.set_offline(False)
    expect(walker.away).to_be_hidden()


@with_scripts
def test_page_without_connection_shows_no_browser_error(chromium, shop, seat):
    walker = Walker(chromium, shop, **seat)
    page = walker.page
    walker.opens("/stamp")
    stays_where_it_is(walker, page.locator("footer a").first)
    walker.chooses("surat.pdf", pdf(words="Surat"))
    page.locator("main details summary").click()
    page.locator("#x-1").fill("33")
    stays_where_it_is(walker, page.locator("a[href='/stamp']").last)
    stays_where_it_is(walker, walker.use)
    expect(page.locator("#x-1")).to_have_value("33")
    walker.places()
    page.locator("#email").fill(walker.email)
    send = page.locator("form:has(#email) button").first
    words = send.text_content()
    stays_where_it_is(walker, send)
    expect(send).to_have_text(words or "")  # it can be pressed again
    expect(page.locator("#email")).to_have_value(walker.email)
    walker.asks_for_a_code()
    page.locator("#code").fill(walker.reads_the_code())
    stays_where_it_is(walker, walker.prove)
    walker.prove.click()
    page.wait_for_url(TO_ORDER)
    stays_where_it_is(walker, page.locator("form[action$='/paid'] button"))
    stays_where_it_is(walker, page.locator("main a[href='/history']"))
    # The order is paid while this page has no connection. The page shows it once it is connected.
    walker.context.set_offline(True)
    walker.pays()
    expect(walker.away).to_be_visible()
    walker.context.set_offline(False)
    walker.sees_it_stamped()
    assert walker.complaints == []


# -- a killed tab ------------------------------------------------------------------------------


def killed_while_sending(walker: Walker) -> None:
    """Begin to send a file, and close the page after two parts. The same file continues later."""
    content, parts = scan(5 * PART_BYTES_MAX), []

    def counted(route: Route) -> None:
        parts.append(route.request.headers.get("upload-offset", "0"))
        if len(parts) < 3:
            route.continue_()
            return
        route.abort()  # also the retries of the page before it closes
        if len(parts) == 3:
            walker.page.close()

    walker.context.route("**/stamp/uploads/*", counted)
    walker.picks("surat.pdf", content)
    if not walker.page.is_closed():
        walker.page.wait_for_event("close")
    walker.context.unroute_all()
    walker.page = walker.context.new_page()
    walker.opens("/stamp")
    expect(walker.page.locator("[data-file-state=receiving]")).to_have_count(1)
    again: list[int] = []
    walker.page.on("request", lambda one: again.append(_offset(one.headers)))
    walker.chooses("surat.pdf", content)
    assert min(one for one in again if one >= 0) >= 2 * PART_BYTES_MAX


def _offset(headers: dict[str, str]) -> int:
    return int(headers.get("upload-offset", -1))


def test_tab_killed_at_any_step_continues_when_reopened(chromium, shop):
    walker = Walker(chromium, shop)
    walker.opens("/stamp")
    killed_while_sending(walker)
    walker.opens_again()  # the page is there, with the stamp at the suggested place
    expect(walker.use).to_be_visible()
    walker.page.locator("button[value=add]").click()
    walker.page.wait_for_url("**stamp=2*")
    walker.opens_again()  # during placing: the stored places are shown
    expect(walker.page.locator(".handle")).to_have_count(2)
    walker.page.locator("main details summary").click()
    walker.page.locator("button[value='remove:2']").click()
    walker.page.wait_for_url("**stamp=1*")
    walker.places()
    walker.opens_again()  # before an address was entered
    walker.asks_for_a_code()
    walker.opens_again()  # before the code was typed: no other code is needed
    expect(walker.page.locator("#code")).to_be_visible()
    walker.orders()
    walker.opens_again()  # an order that waits for its payment
    walker.pays()
    walker.opens_again()
    walker.sees_it_stamped()
    walker.opens_again()
    walker.sees_it_stamped()


# -- back button and second tab ----------------------------------------------------------------


@everywhere
def test_back_button_loses_nothing_and_orders_once(chromium, shop, seat):
    walker = Walker(chromium, shop, **seat)
    page = walker.page
    walker.opens("/")
    walker.chooses("surat.pdf", pdf(words="Surat"))
    walker.places()
    page.go_back()
    expect(walker.use).to_be_visible()
    walker.places()
    walker.asks_for_a_code()
    walker.orders()
    order = page.url
    page.go_back()  # the previous page leads to the order, or is shown as it was
    expect(page.locator("h1")).to_be_visible()
    page.goto(order)
    walker.pays()
    walker.sees_it_stamped()
    walker.opens("/history")
    expect(page.locator(".document")).to_have_count(1)


@with_scripts
def test_two_tabs_make_one_order(chromium, shop, seat):
    walker = Walker(chromium, shop, **seat)
    walker.opens("/")
    walker.chooses("surat.pdf", pdf(words="Surat"))
    first, second = walker.page, walker.context.new_page()
    second.goto(first.url)
    walker.places()
    walker.page = second
    walker.places()  # it continues like the other tab
    walker.asks_for_a_code()
    walker.orders()
    # The other tab still shows the review page without a session. It makes no second order.
    walker.page = first
    walker.page.locator("#email").first.fill(walker.email)
    walker.page.locator("form:has(#email) button").first.click()
    first.wait_for_url(lambda url: not url.endswith("/stamp/pay"))
    first.goto(second.url)
    walker.pays()
    walker.sees_it_stamped()
    walker.opens("/history")
    expect(first.locator(".document")).to_have_count(1)


@everywhere
def test_session_ended_after_choosing_loses_nothing(chromium, shop, seat):
    walker = Walker(chromium, shop, **seat)
    walker.opens("/")
    walker.chooses("surat.pdf", pdf(words="Surat"))
    walker.places()
    walker.asks_for_a_code()
    walker.context.clear_cookies(name="session")
    walker.orders()
    walker.pays()
    walker.sees_it_stamped()
