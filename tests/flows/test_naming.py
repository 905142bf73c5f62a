"""Money that cannot return the way it was paid: its buyer names a bank account, by a mail or on the page of the
order."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from meterai.kit.ids import new_id
from standins.bank.accounts import FLOAT_ACCOUNT
from tests.support.applicant import PHONE, Applicant
from tests.support.browser import WITH_SCRIPTS
from tests.support.instance import Client, Instance, until

pytestmark = pytest.mark.sample(1, of="file")

BUDI, BUDHI = ("014", "1234567890", "Budi Santoso"), ("009", "0190000001", "Budi Santoso")
NAMED = "Rekening sudah disebutkan"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that can transfer money, and whose bank refuses refunds of QR payments."""
    given = {"METERAI_BANK_SOURCE_ACCOUNT": FLOAT_ACCOUNT}
    with Instance(tmp_path_factory.mktemp("naming"), **given) as running:
        running.bank.faults(refuse_refunds=1_000)
        yield running
        running.assert_audit_holds()


def context_of(chromium: Browser, **more: Any) -> BrowserContext:
    return chromium.new_context(**({"viewport": PHONE, "locale": "id-ID"} | more))


def takes_elsewhere(place: Instance, client: Client) -> str:
    """Reroute a refund that the bank refuses, and return the refund that replaces it."""

    def refused() -> Any:
        found = client.get("/v1/refunds").json["refunds"]
        return [one["id"] for one in found if one["state"] == "refused"]

    [refund] = until("the bank refuses", refused)

    def is_done() -> bool:  # a call that is under way must end first
        done = place.command("refunds", "reroute", refund, "--reason", "the bank refuses it")
        return bool(done.returncode == 0)

    until("it takes another way", is_done)
    [other] = [
        one["id"]
        for one in client.get("/v1/refunds").json["refunds"]
        if one["stage"] == "waiting_for_account"
    ]
    return str(other)


def link_of(place: Instance, email: str) -> str:
    """The path of the link in the mail that asks for an account."""

    def links() -> list[str]:
        told = [one["text"] for one in place.mails_to(email)]
        return [found for text in told for found in re.findall(r"/claims\?claim=\S+", text)]

    return str(until("the mail with the link", links)[0])


def waiting(place: Instance) -> tuple[Client, str, str]:
    """A buyer whose money waits for an account: its client, its address, the link of its mail."""
    email = f"{new_id().hex[:12]}@example.org"
    client = place.customer(email)
    order = client.place(1)
    place.bank.pay(order["payment"]["qr_content"])
    until("stamps", lambda: client.order(order["id"])["state"] == "executed")
    client.ask_back(order["id"])
    takes_elsewhere(place, client)
    return client, email, link_of(place, email)


def types(someone: Applicant, account: tuple[str, str, str]) -> None:
    someone.page.get_by_label("Bank", exact=True).select_option(account[0])
    someone.page.get_by_label("Nomor rekening").fill(account[1])
    someone.page.get_by_label("Nama pemilik rekening").fill(account[2])
    someone.presses("Periksa rekening")


@pytest.mark.parametrize("has_scripts", WITH_SCRIPTS)
def test_link_of_a_mail_names_an_account_once(
    chromium: Browser, place: Instance, has_scripts: bool
) -> None:
    client, _, link = waiting(place)
    context = context_of(chromium, java_script_enabled=has_scripts)
    someone = Applicant(context, place)
    someone.goes_to(link)
    someone.sees("Ke rekening mana uang Anda dikirim?")
    someone.fits_the_screen()
    back = someone.page.locator("form[action='/language'] input[name=next]")
    expect(back).to_have_value(link)
    types(someone, ("", "12", ""))
    expect(back).to_have_value(link)
    expect(someone.page.locator(".field-error")).to_have_text("Pilih bank dari daftar.")
    types(someone, ("014", "9999999999", "Budi Santoso"))
    expect(someone.page.locator("#account_no-error")).to_contain_text("tidak cocok di bank ini")
    types(someone, BUDHI)
    someone.sees("Apakah ini rekening Anda?")
    expect(back).to_have_value(re.compile(re.escape(link) + "&asked=clm_"))
    someone.fits_the_screen()
    assert "SANTOSA" not in someone.page.content()
    someone.presses("Ya, ini rekening saya")
    someone.sees(NAMED)
    someone.page.reload()
    someone.sees(NAMED)
    someone.goes_to(link)
    expect(someone.page.locator("main")).to_contain_text("Tautan ini sudah dipakai")
    assert someone.hosts == {"127.0.0.1"}
    context.close()
    [newest, *_] = client.get("/v1/refunds").json["refunds"]
    assert newest["way"] == "transfer"


def test_account_is_named_by_the_api(place: Instance) -> None:
    client, _, _ = waiting(place)
    bank, number, holder = BUDHI
    body = {"bank_code": bank, "account_no": number, "holder": holder}
    wrong = client.post(
        "/v1/refunds/account", body | {"account_no": "1"}, headers={"Idempotency-Key": "k1"}
    )
    assert (wrong.status, wrong.json["code"], wrong.json["field"]) == (
        422,
        "malformed",
        "account_no",
    )
    near = client.post("/v1/refunds/account", body, headers={"Idempotency-Key": "k2"})
    assert (near.status, near.json["code"]) == (409, "account_holder_near")
    assert near.json["holder"] == "B*** S***"
    named = client.post(f"/v1/refunds/account/{near.json['claim']}/confirm")
    assert (named.json["state"], named.json["holder"]) == ("named", holder)
    repeat = client.post(f"/v1/refunds/account/{near.json['claim']}/confirm")
    assert (repeat.json, repeat.headers["idempotent-replayed"]) == (named.json, "true")
    repeat = client.post("/v1/refunds/account", body, headers={"Idempotency-Key": "k2"})
    assert (repeat.json, repeat.headers["idempotent-replayed"]) == (named.json, "true")
    again = client.post("/v1/refunds/account", body, headers={"Idempotency-Key": "k3"})
    assert (again.status, again.json["code"]) == (409, "nothing_waits_for_account")
