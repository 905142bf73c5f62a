"""Sales page of a distributor on a running installation: from its address to stamps, and its fee in the deposit."""

import io
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import pytest
import urllib3
from PIL import Image
from playwright.sync_api import Browser, expect

from meterai.accounts import AccountService, OrganizationService
from meterai.commands import Lever, Pull
from meterai.distribution import levers
from meterai.kit.ids import new_id, show
from meterai.plumbing.db.database import Tx
from meterai.room import Container
from tests.support.applicant import PHONE, TO_PAY, Applicant
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf
from tests.support.shop import TESTER

pytestmark = pytest.mark.sample(3, of="file")

Answer = TypeVar("Answer")
FEE = 1_500
NAME = "Toko <b>Meterai</b> & Kawan"


def apart(inside: Inside, act: Callable[[Container], Awaitable[Answer]]) -> Answer:
    """Run in a thread, because the browser has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(inside.ask, act).result()


@dataclass
class Seller:
    """A distributor of an instance, with a sales page."""

    inside: Inside
    account: UUID
    client: Client
    slug: str

    @property
    def balance(self) -> int:
        return int(self.client.get("/v1/deposit").json["balance"])

    def pull(self, lever: Lever, asked: Any) -> None:
        """Use a lever with an approval."""

        async def act(container: Container) -> None:
            pull = Pull(TESTER, datetime.now(UTC), "a test", container.settings)

            async def carry_out(tx: Tx) -> None:
                await lever.forecast(tx, asked, pull)
                await lever.carry_out(tx, asked, pull)

            await container.database.run(carry_out)

        apart(self.inside, act)

    def terms(self, fee: int = FEE) -> levers.DistributorTerms:
        return levers.DistributorTerms(show("acc", self.account), NAME, fee, "Jawa Barat")


@pytest.fixture(scope="module")
def inside(instance: Instance) -> Iterator[Inside]:
    yield Inside(instance)
    instance.assert_audit_holds()


@pytest.fixture
def seller(inside: Inside) -> Seller:
    """A distributor that sells."""
    account = new_id()

    async def make(container: Container) -> str:
        accounts = container.of(AccountService)
        person = await accounts.create(f"{uuid.uuid4().hex[:12]}@example.org", actor=TESTER)
        await container.of(OrganizationService).make(account, person, "PT Toko", "", "")
        return await accounts.create_api_key(account, "test", actor=TESTER)

    slug = f"toko-{uuid.uuid4().hex[:8]}"
    client = Client(inside.instance.url, apart(inside, make))
    found = Seller(inside, account, client, slug)
    found.pull(levers.APPROVE, found.terms())
    order = client.post(
        "/v1/deposits", {"rupiah": 100_000}, headers={"Idempotency-Key": uuid.uuid4().hex}
    ).json
    inside.instance.bank.pay(payable(client, order))
    until("it is open", lambda: client.get("/v1/deposit").json["state"] == "open")
    reply = client.call(
        "PUT", "/v1/shop", {"slug": slug, "colour": "#7a1f3d", "terms": "Baris 1\nBaris 2"}
    )
    assert reply.status == 200, reply.body
    assert reply.json["url"].endswith(f"/s/{slug}")
    return found


@pytest.fixture
def applicant(
    chromium: Browser, inside: Inside, request: pytest.FixtureRequest
) -> Iterator[Applicant]:
    context = chromium.new_context(
        viewport=PHONE, locale="id-ID", java_script_enabled=getattr(request, "param", True)
    )
    someone = Applicant(context, inside.instance)
    yield someone
    context.close()
    assert someone.hosts == {"127.0.0.1"}
    assert someone.complaints == []


@pytest.mark.parametrize("applicant", [True, False], indirect=True)
def test_stamps_bought_from_the_page_and_the_fee_is_deposit(
    applicant: Applicant, seller: Seller
) -> None:
    page = applicant.page
    page.set_viewport_size({"width": 360, "height": 640})
    applicant.goes_to(f"/s/{seller.slug}")
    applicant.sees(NAME)
    expect(page.locator(".money")).to_contain_text("Rp1.500")
    expect(page.locator(".money tfoot")).to_contain_text("Rp11.500")
    expect(page.locator("main")).to_contain_text("bukan penerbitnya")
    colours = (
        page.locator(".shopfront").evaluate(
            "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
        )
        if applicant.page.evaluate("1")
        else []
    )
    assert colours == ["rgb(122, 31, 61)", "rgb(255, 255, 255)"]
    applicant.fits_the_screen()
    applicant.presses("Beli meterai saja")
    page.get_by_label("Alamat email").fill(applicant.email)
    applicant.presses("Kirim kode")
    applicant.types_the_code("/buy")
    expect(page.locator("main")).to_contain_text(f"Biaya {NAME} per meterai")
    expect(page.locator(".money tfoot")).to_contain_text("Rp11.500")
    page.get_by_label("Jumlah meterai").fill("2")
    applicant.presses("Lanjut ke pembayaran")
    applicant.sees(TO_PAY)
    expect(page.locator("h1")).to_have_text("Bayar Rp23.000")
    applicant.pays()
    applicant.sees("2 meterai siap dipakai")
    expect(page.locator(".kicker")).to_contain_text(f"dijual oleh {NAME}")
    until("the fee is deposit", lambda: seller.balance == 100_000 + 2 * FEE)


def test_fee_changed_during_journey_is_refused_and_shown_again(
    applicant: Applicant, seller: Seller
) -> None:
    applicant.signs_in("/account")
    applicant.goes_to(f"/s/{seller.slug}")
    applicant.presses("Beli meterai saja")
    seller.pull(levers.CHANGE, seller.terms(2_000))
    applicant.presses("Lanjut ke pembayaran")
    expect(applicant.page.locator(".summary")).to_be_visible()
    expect(applicant.page.locator(".money")).to_contain_text("Rp2.000")
    applicant.presses("Lanjut ke pembayaran")
    expect(applicant.page.locator("h1")).to_have_text("Bayar Rp12.000")
    applicant.complaints.clear()  # the refusal, as the browser reports it


def test_buyer_of_closed_seller_continues_without_seller(
    applicant: Applicant, seller: Seller
) -> None:
    applicant.signs_in("/account")
    applicant.goes_to(f"/s/{seller.slug}")
    applicant.presses("Beli meterai saja")
    seller.pull(levers.CLOSE, levers.DistributorNamed(show("acc", seller.account)))
    applicant.presses("Lanjut ke pembayaran")
    expect(applicant.page.locator(".summary")).to_contain_text("tidak lagi")
    applicant.presses("Lanjut ke pembayaran")
    expect(applicant.page.locator("h1")).to_have_text("Bayar Rp10.000")
    applicant.goes_to(f"/s/{seller.slug}")
    expect(applicant.page.locator("main")).to_contain_text("Meterai tidak pernah habis")
    applicant.complaints.clear()  # the refusal, as the browser reports it


def test_sales_page_has_no_script_of_seller_and_its_own_policy(seller: Seller) -> None:
    found = seller.inside.instance.anybody().get(
        f"/s/{seller.slug}", headers={"Accept": "text/html"}
    )
    text = found.body.decode()
    assert "Toko &lt;b&gt;Meterai&lt;/b&gt; &amp; Kawan" in text
    assert "<b>Meterai" not in text
    assert "sha256-" in found.headers["content-security-policy"]
    assert len(found.body) < 15 * 1024


def test_logo_is_served_from_here_under_its_hash(seller: Seller) -> None:
    out = io.BytesIO()
    Image.new("RGB", (200, 80), "navy").save(out, "PNG")
    reply = seller.client.call(
        "PUT", "/v1/shop/logo", out.getvalue(), headers={"Content-Type": "application/octet-stream"}
    )
    assert reply.json["has_logo"]
    anybody = seller.inside.instance.anybody()
    page = anybody.get(f"/s/{seller.slug}", headers={"Accept": "text/html"}).body.decode()
    [path] = re.findall(r'src="(/s/[^"]+\.webp)"', page)
    found = anybody.get(path)
    assert (found.status, found.headers["content-type"]) == (200, "image/webp")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in found.headers["cache-control"]
    refused = seller.client.call(
        "PUT", "/v1/shop/logo", b"<svg/>", headers={"Content-Type": "application/octet-stream"}
    )
    assert (refused.status, refused.json["code"]) == (422, "logo_unreadable")
    assert not seller.client.call("DELETE", "/v1/shop/logo").json["has_logo"]


def test_orders_over_the_api_carry_the_seller_and_its_fee(seller: Seller) -> None:
    buyer = seller.inside.instance.customer()

    def place(**more: object) -> Any:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return buyer.post("/v1/orders", {"quantity": 1, "seller": seller.slug, **more}, headers=key)

    refused = place(seller_fee=FEE - 1)
    assert (refused.status, refused.json["code"]) == (409, "price_changed")
    unknown = place(seller="nobody-at-all")
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
    order = place(seller_fee=FEE).json
    assert (order["total"], order["seller"], order["seller_fee"]) == (11_500, NAME, FEE)
    seller.inside.instance.bank.pay(payable(buyer, order))
    until("the fee is deposit", lambda: seller.balance == 100_000 + FEE)
    placement = '{"page": 1, "x": 60, "y": 60, "width": 80}'
    body, kind = urllib3.encode_multipart_formdata(
        {
            "document": ("surat.pdf", pdf(), "application/pdf"),
            "placements": placement,
            "seller": seller.slug,
            "seller_fee": str(FEE),
        }
    )
    headers = {"Content-Type": kind, "Idempotency-Key": uuid.uuid4().hex}
    made = buyer.post("/v1/orders/documents", body, headers=headers)
    assert made.status == 201, made.body
    assert made.json["order"]["seller"] == NAME
    seller.inside.instance.bank.pay(payable(buyer, made.json["order"]))
    until("the fee is deposit", lambda: seller.balance == 100_000 + 2 * FEE)
