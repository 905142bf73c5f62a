"""A receipt by mail has the numbers under which a bank knows a payment and a refund."""

import io
import re

import pypdfium2

from meterai.kit.text import groups
from meterai.payments import captured_of
from meterai.plumbing.messages import LANGUAGES, format_datetime
from tests.support.instance import Instance, Reply, until
from tests.support.money import payable
from tests.support.shop import Shop


def facts_of(shop: Shop, template: str) -> dict[str, object]:
    [row] = shop.rows("SELECT facts FROM mails WHERE template = %s", template)
    facts: dict[str, object] = row["facts"]
    return facts


def test_mail_of_an_order_names_each_payment_and_the_sums(shop: Shop) -> None:
    order = shop.place(2)
    short = shop.pay(order, more=-1)
    shop.work()
    whole = shop.pay(order)
    shop.work()
    [row] = shop.rows("SELECT * FROM orders WHERE order_id = %s", order)
    facts = facts_of(shop, "order_executed_stamps")
    assert facts["bank_numbers"] == f"{short.number}, {whole.number}"
    assert (facts["price"], facts["duty"]) == ("Rp10.000", "Rp20.000")
    assert facts["at"] == {one: format_datetime(row["paid_at"], one) for one in LANGUAGES}
    assert str(facts["fee"]).startswith("Rp")

    async def captured() -> list[tuple[str, int]]:
        async with shop.container.database.reading() as tx:
            found = await captured_of(tx, row["account_id"], order)
        return [(one.number, one.amount.value) for one in found]

    assert shop.do(captured()) == [(one.number, one.amount) for one in (short, whole)]


def text_of(answer: Reply) -> str:
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    opened = pypdfium2.PdfDocument(io.BytesIO(answer.body))
    text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in opened)
    opened.close()
    return text


def test_receipts_of_order_and_refund_name_seller_and_numbers(instance: Instance) -> None:
    customer = instance.customer()
    order = customer.place(2)
    instance.bank.pay(payable(customer, order))
    until("the stamps are there", lambda: customer.balance()["available"] == 2)
    text = text_of(customer.get(f"/orders/{order['id']}/receipt.pdf"))
    [number] = re.findall(r"Nomor bank \(RRN\) (\S+) \(Rp", text)
    name = " ".join(groups(order["id"]))
    for said in ("Penjual PT SPECIMEN", "NPWP SPECIMEN", name, "bukan faktur pajak", "WIB"):
        assert said in text
    refund = customer.ask_back(order["id"]).json["id"]
    until(
        "the money is back",
        lambda: customer.get(f"/v1/refunds/{refund}").json["state"] == "settled",
    )
    text = text_of(customer.get(f"/refunds/{refund}/receipt.pdf"))
    for said in ("Penjual PT SPECIMEN", "NPWP SPECIMEN", name, f"Nomor bank (RRN) {number}"):
        assert said in text
