"""A form with an ended session or an outdated page is kept: its owner finds it filled in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from meterai.accounts import AccountService
from meterai.plumbing.messages import translate
from tests.support.pdf import pdf
from tests.support.walk_in import WalkIn, fields, walk_in

ANI, BUDI = "ani@example.id", "budi@example.id"
NOT_SENT = "This form was not sent"


@pytest.fixture
def visitor(database_url: str, tmp_path: Path) -> Iterator[WalkIn]:
    with walk_in(database_url, tmp_path) as made:
        yield made


def end_session(visitor: WalkIn) -> None:
    """End the session elsewhere; the browser still sends its cookie."""
    accounts = visitor.container.of(AccountService)
    with visitor.client.portal() as portal:
        portal.call(accounts.sign_out, visitor.cookie("session"))


def orders(visitor: WalkIn) -> int:
    return visitor.get("/history").count('href="/orders/ord_')


def test_buy_form_is_kept_until_its_owner_signs_in(visitor: WalkIn) -> None:
    visitor.signs_in(ANI, "/account")
    form = fields(visitor.get("/buy"), "/buy", "quantity") | {"quantity": "37"}
    end_session(visitor)
    assert visitor.goes("/buy", form) == "/sign-in?next=%2Fbuy"
    assert form["form_token"] not in visitor.cookie("kept")
    visitor.signs_in(ANI, "/buy")
    page = visitor.get("/buy")
    assert NOT_SENT in page
    again = fields(page, "/buy", "quantity")
    assert (again["quantity"], again["key"]) == ("37", form["key"])
    assert orders(visitor) == 0, "another press is asked for"
    assert NOT_SENT not in visitor.get("/buy"), "it is told once"
    assert visitor.goes("/buy", again).startswith("/orders/ord_")
    assert orders(visitor) == 1


def test_ended_session_on_an_order_is_reassured_and_led_back(
    visitor: WalkIn,
) -> None:
    said = translate("page.sign_in.order_is_safe", "en")
    there = visitor.goes("/buy", _order_of(visitor))
    end_session(visitor)
    answer = visitor.client.get(there, headers={"Accept": "text/html"}, follow_redirects=True)
    assert answer.url.path == "/sign-in"
    assert said in answer.text
    assert said not in visitor.get("/sign-in?next=%2Fbuy")
    visitor.signs_in(ANI, there)
    assert f"{there}/withdraw" in visitor.get(there)


def _order_of(visitor: WalkIn) -> dict[str, str]:
    visitor.signs_in(ANI, "/account")
    return fields(visitor.get("/buy"), "/buy", "quantity")


def test_kept_form_is_hidden_from_other_people(visitor: WalkIn) -> None:
    visitor.signs_in(ANI)
    form = fields(visitor.get("/buy"), "/buy", "quantity") | {"quantity": "37"}
    end_session(visitor)
    visitor.goes("/buy", form)
    visitor.signs_in(BUDI, "/buy")
    page = visitor.get("/buy")
    assert NOT_SENT not in page
    assert fields(page, "/buy", "quantity")["quantity"] == "1"


def test_form_of_another_site_is_not_kept(visitor: WalkIn) -> None:
    visitor.signs_in(ANI)
    form = {"quantity": "9999", "key": "frm_x", "form_token": "t" * 32}
    end_session(visitor)
    visitor.goes("/buy", form)
    visitor.client.cookies.delete("session")
    assert visitor.sends("/buy", form | {"form_token": ""}).status_code == 303
    for site in ("cross-site", "same-site"):
        foreign = visitor.sends("/buy", form | {"form_token": ""}, **{"Sec-Fetch-Site": site})
        assert foreign.status_code == 403
    assert not visitor.cookie("kept")
    visitor.signs_in(ANI, "/buy")
    assert fields(visitor.get("/buy"), "/buy", "quantity")["quantity"] == "1"


def test_fresh_proof_keeps_the_name_of_a_key_and_no_secret(visitor: WalkIn) -> None:
    visitor.signs_in(ANI)
    form = fields(visitor.get("/account/keys"), "/account/keys", "name") | {"name": "kasir toko"}
    end_session(visitor)
    assert visitor.goes("/account/keys", form) == "/sign-in?next=%2Faccount%2Fkeys"
    passkey = {"form_token": form["form_token"], "name": "x", "credential": "secret"}
    visitor.signs_in(ANI)
    page = visitor.get("/account/keys")
    assert fields(page, "/account/keys", "name")["name"] == "kasir toko"
    end_session(visitor)
    visitor.goes("/account/passkeys", passkey)
    assert "secret" not in visitor.cookie("kept")


# -- browsers that keep nothing ------------------------------------------------------------


@pytest.mark.parametrize("content", [pdf(words="Surat"), b"no document"])
def test_browser_without_cookies_is_warned_after_upload(visitor: WalkIn, content: bytes) -> None:
    said = translate("page.choose.is_without_cookies", "en")
    sent = visitor.client.post("/stamp/files", files={"document": ("a.pdf", content)})
    with visitor.as_another():
        there = sent.headers["location"]
        while (shown := visitor.client.get(there)).status_code == 303:
            there = shown.headers["location"]
        assert said in shown.text
    while (shown := visitor.client.get(there)).status_code == 303:
        there = shown.headers["location"]
    assert said not in shown.text
    assert "a.pdf" in shown.text
