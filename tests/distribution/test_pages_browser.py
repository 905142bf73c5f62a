"""A shopkeeper in a real browser: tops up the deposit, sells, has a reseller, and reads the statement."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect

from meterai.accounts import OrganizationService
from meterai.commands import Pull
from meterai.distribution import levers
from meterai.kit.ids import new_id, read, show
from meterai.kit.money import Rupiah
from meterai.plumbing.db.database import Tx
from meterai.plumbing.messages import translate
from meterai.room import Container
from tests.support.applicant import Applicant
from tests.support.browser import WITH_SCRIPTS
from tests.support.inside import Inside
from tests.support.instance import Instance, until
from tests.support.shop import TESTER

SMALL = ViewportSize(width=360, height=640)
SHOP, KIOSK = "Toko Meterai Braga", "Kios Ani"


@pytest.fixture(params=WITH_SCRIPTS)
def contexts(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[list[BrowserContext]]:
    """Two phones."""
    made = [
        chromium.new_context(viewport=SMALL, locale="id-ID", java_script_enabled=request.param)
        for _ in range(2)
    ]
    yield made
    for one in made:
        one.close()


class Keeper(Applicant):
    """A person who sells."""

    def account_shown(self) -> str:
        """The number by which a distributor invites this account."""
        text = self.page.locator("#number").inner_text()
        return re.sub(r"[\s-]", "", text)

    def acts_for(self, name: str) -> None:
        self.goes_to("/account/acting")
        self.presses(translate("page.acting.button", "id", name=name))
        self.page.wait_for_url("**/account")

    def fits(self, path: str) -> None:
        """No page is wider than the smallest screen, in either language."""
        for language in ("en", "id"):
            self.page.context.add_cookies(
                [{"name": "language", "value": language, "url": self.instance.url}]
            )
            self.goes_to(path)
            beyond = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, (path, language, beyond)

    def presses_sell(self) -> None:
        self.page.get_by_role("button", name=re.compile("^Jual, ")).click()

    def again(self) -> str:
        """Current text of this page."""
        self.page.reload()
        return self.page.locator("main").inner_text()

    def fills(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"[name={name}]:not([type=hidden])").first.fill(text)


def distributor(inside: Inside, person: str) -> str:
    """The account of an organization of a person, approved as a distributor."""
    account = new_id()

    async def make(container: Container) -> None:
        organizations = container.of(OrganizationService)
        await organizations.make(account, read("acc", person), SHOP, "", "")
        asked = levers.DistributorTerms(show("acc", account), SHOP, 1_000, "Jawa Barat")
        pull = Pull(TESTER, datetime.now(UTC), "a test", container.settings)

        async def approve(tx: Tx) -> None:
            await levers.APPROVE.forecast(tx, asked, pull)
            await levers.APPROVE.carry_out(tx, asked, pull)

        await container.database.run(approve)

    with ThreadPoolExecutor(1) as aside:  # the event loop of the browser runs in this thread
        aside.submit(inside.ask, make).result()
    return show("acc", account)


@dataclass
class Street:
    """A shop and a kiosk of an instance; `sold` is the page of the first sale."""

    inside: Inside
    shop: Keeper
    kiosk: Keeper
    account: str = ""
    number: str = ""
    sold: str = ""

    @property
    def unit(self) -> int:
        [row] = self.inside.rows("SELECT max(unit_price + service_fee)::integer AS unit FROM sales")
        return int(row["unit"])

    def opens(self) -> None:
        """An account that sells nothing sees how to begin."""
        self.shop.signs_in("/sales")
        expect(self.shop.page.locator("main")).to_contain_text("Akun ini tidak menjual meterai")
        self.account = distributor(self.inside, self.shop.account_shown())
        self.shop.acts_for(SHOP)

    def tops_up(self) -> None:
        """Wrong input is kept and named; right input leads to the order."""
        shop = self.shop
        shop.goes_to("/deposit")
        shop.fills(rupiah="150.500")
        shop.presses("Buat pesanan deposit")
        expect(shop.page.locator("#rupiah-error")).to_contain_text("kelipatan Rp10.000")
        expect(shop.page.locator("#rupiah")).to_have_value("150.500")
        shop.fills(rupiah="Rp150.000")
        shop.presses("Buat pesanan deposit")
        shop.page.wait_for_url("**/orders/*")
        shop.pays()

        def balance() -> str:
            shop.goes_to("/deposit")
            return shop.page.locator(".count").inner_text()

        until("the deposit is there", lambda: balance() == "Rp150.000")

    def sells(self) -> None:
        """The same form sent twice is one sale, found by its reference."""
        shop = self.shop
        shop.goes_to("/sales")
        shop.fills(email="bukan alamat", quantity="2", reference="kasir-1")
        shop.presses_sell()
        expect(shop.page.locator("#email-error")).to_be_visible()
        expect(shop.page.locator("#reference")).to_have_value("kasir-1")
        shop.fills(email="ani@example.org")
        form: dict[str, str | float | bool] = {
            name: shop.page.locator(f"form[method=post].card [name={name}]").input_value()
            for name in ("form_token", "key", "email", "quantity", "reference")
        }
        shop.presses_sell()
        shop.page.wait_for_url("**/sales/sal_*")
        self.sold = shop.page.url
        again = shop.page.request.post(f"{self.inside.instance.url}/sales", form=form)
        assert again.url == self.sold
        until("the buyer has them", lambda: "Pembeli sudah memiliki" in shop.again())
        for reference, count in (("kasir-1", 1), ("lain", 0)):
            shop.goes_to(f"/sales?reference={reference}")
            expect(shop.page.locator("tbody tr")).to_have_count(count)

    def invites(self) -> None:
        """A reseller is named by its number; fees above the bound are refused with the typed values."""
        self.kiosk.signs_in("/sales")
        self.number, shop = self.kiosk.account_shown(), self.shop
        shop.goes_to("/resellers")
        day = str(2 * self.unit)
        shop.fills(account=self.number, name=KIOSK, day_rupiah=day, fee="10.000")
        shop.presses("Kirim ajakan")
        expect(shop.page.locator(".summary")).to_contain_text("Rp11.000 melebihi batas Rp10.000")
        expect(shop.page.locator("#name")).to_have_value(KIOSK)
        shop.fills(fee="500")
        shop.presses("Kirim ajakan")
        expect(shop.page.locator("tbody")).to_contain_text("belum menerima")

    def resells(self) -> None:
        """A reseller accepts, sells within its limit, and sees only its own sales, until it is paused."""
        kiosk = self.kiosk
        kiosk.goes_to("/sales")
        kiosk.presses("Terima")
        expect(kiosk.page.locator(".count")).to_contain_text(f"{Rupiah(2 * self.unit)}")
        kiosk.fills(email="budi@example.org", quantity="3")
        kiosk.presses_sell()
        expect(kiosk.page.locator(".summary")).to_contain_text("melebihi batas reseller")
        kiosk.fills(quantity="1")
        kiosk.presses_sell()
        kiosk.page.wait_for_url("**/sales/sal_*")
        kiosk.goes_to("/sales")
        expect(kiosk.page.locator("tbody tr")).to_have_count(1)
        kiosk.goes_to(urlsplit(self.sold).path)
        refused = kiosk.page.locator("[data-refusal]")
        expect(refused).to_have_attribute("data-refusal", "404 not_found")
        self.shop.goes_to(f"/resellers/{self.number}")
        self.shop.presses("Jeda penjualan")
        expect(self.shop.page.locator(".state").first).to_have_text("dijeda")
        kiosk.goes_to("/sales")
        expect(kiosk.page.locator("main")).to_contain_text("menjeda penjualan Anda")

    def reads_the_statement(self) -> None:
        """Its sums equal the legs, and its files have each leg."""
        page = self.shop.page
        self.shop.goes_to("/deposit/statement")
        [row] = self.inside.rows(
            "SELECT sum(credit - debit)::bigint AS sum FROM legs WHERE book = 'deposits' AND account_id = %s",
            read("acc", self.account),
        )
        assert row["sum"] == 150_000 - 3 * self.unit
        expect(page.locator(".captured td")).to_have_text(f"{Rupiah(row['sum'])}")
        with page.expect_download() as coming:
            page.get_by_role("link", name="CSV").click()
        assert len(coming.value.path().read_text("utf-8-sig").splitlines()) == 4
        page.locator("tbody a").first.click()
        page.wait_for_url("**/deposit/statement?day=*")
        expect(page.locator(".fields tbody tr")).to_have_count(3)

    def looks_at_every_page(self) -> None:
        for path in ("/deposit", "/deposit/statement", "/sales", "/resellers"):
            self.shop.fits(path)
        self.shop.fits(f"/resellers/{self.number}")
        self.shop.fits(urlsplit(self.sold).path)
        for path in ("/sales", "/sales/statement"):
            self.kiosk.fits(path)
        told = self.shop.complaints + self.kiosk.complaints
        assert not [one for one in told if not one.startswith("Failed to load resource")]


def test_shopkeeper_sells_with_pages_only(
    contexts: list[BrowserContext], instance: Instance
) -> None:
    shop, kiosk = (Keeper(one, instance) for one in contexts)
    street = Street(Inside(instance), shop, kiosk)
    street.opens()
    street.tops_up()
    street.sells()
    street.invites()
    street.resells()
    street.reads_the_statement()
    street.looks_at_every_page()
    instance.assert_audit_holds()
