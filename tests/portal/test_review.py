"""Review page: sign-in and order with one button."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from httpx import Cookies

from meterai.accounts import CodeService
from meterai.accounts.pages import Begun
from meterai.plumbing.messages import translate
from tests.support.walk_in import WalkIn, fields, walk_in

PAY, PROVE = "/stamp/pay", "/stamp/pay/sign-in"
ORDER = re.compile(r"/orders/ord_\w+")


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[WalkIn]:
    with walk_in(database_url, tmp_path) as made:
        yield made


def asks(visitor: WalkIn, email: str = "ani@example.id") -> str:
    """Request a code on the page; return the page that asks for it."""
    form = fields(visitor.get(PAY), PROVE, "email")
    assert visitor.goes(PROVE, form | {"email": email}) == PAY
    return visitor.get(PAY)


def leads(visitor: WalkIn, path: str) -> str:
    """Return the redirect of a page."""
    shown = visitor.client.get(path)
    assert shown.status_code == 303, (shown.status_code, shown.text)
    return str(shown.headers["location"])


def orders(visitor: WalkIn) -> int:
    return len(re.findall(r'href="/orders/ord_', visitor.get("/history")))


def test_stranger_signs_in_and_orders_on_the_review_page(visitor: WalkIn) -> None:
    page = visitor.places()
    assert "Rp10.000" in page
    asked = asks(visitor)
    assert asked.index("Rp10.000") < asked.index('name="code"'), "the price stands above the code"
    assert "ani@example.id" in asked
    assert 'autocomplete="one-time-code" inputmode="numeric"' in asked
    assert "Sign in and pay Rp10.000 by QRIS" in asked
    there = visitor.goes(PROVE, fields(asked, PROVE, "code") | {"code": visitor.code()})
    assert ORDER.fullmatch(there), there
    assert "surat.pdf" in visitor.get(there)
    assert not visitor.cookie("asked")


def test_stopped_issuing_is_shown_before_payment(visitor: WalkIn, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE issuing SET is_open = false")
    said = translate("page.issuing_stopped", "en")
    assert said in visitor.places()
    visitor.signs_in()
    bought = visitor.get("/buy")
    assert said in bought
    assert translate("page.buy.lead", "en") not in bought
    wrong = visitor.sends("/buy", fields(bought, "/buy") | {"quantity": "x"})
    assert (wrong.status_code, said in wrong.text) == (422, True)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE issuing SET is_open = true")
    assert said not in visitor.get("/buy")
    assert said not in visitor.get(PAY)


def test_changed_price_is_not_ordered(visitor: WalkIn) -> None:
    visitor.places()
    asked = fields(asks(visitor), PROVE, "code")
    assert asked["unit"] == "10000"
    form = asked | {"code": visitor.code(), "unit": "9000"}
    said = translate("refusal.price_changed", "en")
    shown = visitor.sends(PROVE, form)
    assert (shown.status_code, said in shown.text) == (409, True)
    assert "Rp10.000" in shown.text
    bought = fields(visitor.get("/buy"), "/buy")
    refused = visitor.sends("/buy", bought | {"unit": "9000"})
    assert (refused.status_code, said in refused.text) == (409, True)
    assert orders(visitor) == 0
    again = fields(refused.text, "/buy")
    order = visitor.goes("/buy", again)
    assert ORDER.fullmatch(order)
    # A lost answer under another price is not shown as a failed order.
    assert visitor.goes("/buy", again | {"unit": "9000"}) == order
    assert orders(visitor) == 1
    assert ORDER.fullmatch(visitor.goes(PAY, fields(visitor.get(PAY), PAY, "draft")))


def test_wrong_code_keeps_the_page_and_shows_remaining_tries(visitor: WalkIn) -> None:
    visitor.places()
    form = fields(asks(visitor), PROVE, "code")
    first = visitor.code()
    wrong = visitor.sends(PROVE, form | {"code": f"{(int(first) + 1) % 1_000_000:06}"})
    assert wrong.status_code == 422
    assert "4 tries left" in wrong.text
    assert 'href="#code"' in wrong.text
    assert "surat.pdf" in wrong.text
    again = fields(wrong.text, PROVE, "email")
    assert again["email"] == "ani@example.id", "a new code keeps the address"
    assert visitor.goes(PROVE, again) == PAY
    late = visitor.sends(PROVE, form | {"code": first})
    assert late.status_code == 422, "the code of the newer mail is asked for"
    assert ORDER.fullmatch(visitor.goes(PROVE, form | {"code": visitor.code()}))


def test_quota_shows_the_retry_time_and_accepts_the_sent_code(
    database_url: str, tmp_path: Path
) -> None:
    with walk_in(database_url, tmp_path, codes_per_hour_max=1) as visitor:
        visitor.places()
        form = fields(asks(visitor), PROVE, "email")
        full = visitor.sends(PROVE, form)
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) > 0
        assert re.search(r"\d\d[:.]\d\d", full.text)
        assert "no-store" in full.headers["cache-control"]
        code = fields(full.text, PROVE, "code") | {"code": visitor.code()}
        assert ORDER.fullmatch(visitor.goes(PROVE, code))


def test_known_and_unknown_addresses_get_the_same_answer(visitor: WalkIn) -> None:
    visitor.signs_in("ani@example.id")
    with visitor.as_another():
        visitor.places()
        known, unknown = (asks(visitor, f"{name}@example.id") for name in ("ani", "oni"))
        same = [re.sub(r"[ao]ni@example\.id|\w{26}", "", page) for page in (known, unknown)]
        assert same[0] == same[1]


def test_second_form_orders_after_the_first_adopted_the_files(
    visitor: WalkIn,
) -> None:
    visitor.places()
    form = fields(asks(visitor), PROVE, "code") | {"code": visitor.code()}
    before = Cookies(visitor.client.cookies)
    assert visitor.sends(PROVE, form | {"unit": "9000"}).status_code == 409
    visitor.client.cookies.clear()
    visitor.client.cookies.update(before)  # the browser dropped the first answer
    assert ORDER.fullmatch(visitor.goes(PROVE, form))
    assert orders(visitor) == 1


def test_form_of_another_site_opens_no_session(visitor: WalkIn) -> None:
    visitor.places()
    form = fields(asks(visitor), PROVE, "code") | {"code": visitor.code()}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert visitor.sends(PROVE, form, **headers).status_code == 403
    assert not visitor.cookie("session")


def test_code_of_another_browser_needs_its_own_page(visitor: WalkIn) -> None:
    visitor.places()
    form = fields(asks(visitor), PROVE, "code") | {"code": visitor.code()}
    visitor.client.cookies.delete("asked")
    refused = visitor.sends(PROVE, form)
    assert refused.status_code == 422
    assert fields(refused.text, PROVE, "email")["email"] == ""


def test_link_of_the_mail_returns_to_the_review_page(visitor: WalkIn) -> None:
    visitor.places()
    asks(visitor)
    begun = Begun.read(visitor.cookie("asked"))
    assert begun is not None
    link = visitor.container.of(CodeService).link(begun.challenge)
    assert PAY not in link, "nobody who sends it on can change where it leads"
    form = fields(visitor.get(link), "/sign-in/link", "secret")
    there = visitor.goes("/sign-in/link", form | {"next": "/account"})
    assert urlsplit(there).path == PAY
    assert visitor.client.get(there).headers["location"] == PAY
    assert fields(visitor.get(PAY), PAY, "draft"), "and the files are of the account"


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("/buy", "/buy"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/" + "a" * 500, "/"),
    ],
)
def test_link_redirects_to_own_pages_alone(visitor: WalkIn, wanted: str, there: str) -> None:
    visitor.goes("/sign-in", {"email": "ani@example.id", "next": wanted})
    begun = Begun.read(visitor.cookie("asked"))
    assert begun is not None
    link = visitor.container.of(CodeService).link(begun.challenge)
    form = fields(visitor.get(link), "/sign-in/link", "secret")
    assert visitor.goes("/sign-in/link", form) == there


@pytest.mark.parametrize("first", ["here", "elsewhere"])
def test_files_of_another_device_are_shown_before_they_are_ordered(
    visitor: WalkIn, first: str
) -> None:
    def there() -> None:
        with visitor.as_another():
            visitor.signs_in()
            visitor.places("laptop.pdf")

    if first == "elsewhere":
        there()
    visitor.places("ponsel.pdf")
    if first == "here":
        there()
    asked = asks(visitor)
    assert "Sign in and pay Rp10.000 by QRIS" in asked
    told = visitor.sends(PROVE, fields(asked, PROVE, "code") | {"code": visitor.code()})
    assert told.status_code == 409
    assert translate("refusal.draft_changed", "en") in told.text
    assert translate("page.review.not_charged", "en") in told.text
    assert "Pay Rp20.000 by QRIS" in told.text
    assert orders(visitor) == 0
    assert ORDER.fullmatch(visitor.goes(PAY, fields(told.text, PAY, "draft")))
