"""The Python client at work: an order is paid at the stand-in, stamped, downloaded and checked, also under faults."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from meterai_client import (
    AsyncMeterai,
    At,
    AtText,
    Conflict,
    InCorner,
    KeyRefused,
    Meterai,
    NotExecuted,
    NotFound,
    Retrying,
    Unusable,
)

from tests.support.dropping import dropping
from tests.support.instance import Instance
from tests.support.pdf import pdf

PATIENT = Retrying(deadline_seconds=120, first_seconds=0.1, longest_seconds=1.0, tries_max=200)


@pytest.fixture
def client(audited: Instance) -> Iterator[Meterai]:
    with Meterai(audited.url, audited.customer().key, retrying=PATIENT) as one:
        yield one


def bought(client: Meterai, instance: Instance, quantity: int = 1) -> str:
    """The id of an executed order."""
    order = client.orders.place(quantity)
    assert order.payment.qr_content
    instance.bank.pay(order.payment.qr_content)
    return client.orders.wait(order.id).id


def test_document_is_stamped_from_the_balance(client: Meterai, audited: Instance, tmp_path: Path):
    number = bought(client, audited, 2)
    assert client.stampings.balance().available == 2
    path, stamped = tmp_path / "surat.pdf", tmp_path / "stamped.pdf"
    path.write_bytes(pdf(words="Yang menyatakan"))
    seen: list[tuple[int, int]] = []
    stamping = client.stampings.stamp(
        path,
        AtText("Yang menyatakan", dy=-200),
        reference="PO-17",
        metadata={"unit": "Bandung"},
        progress=lambda *told: seen.append(told),
    )
    assert seen
    assert seen[-1][0] == seen[-1][1]
    stamping = client.stampings.wait(stamping.id)
    downloaded = client.stampings.download(stamping, stamped)
    assert downloaded.sha256 == stamping.sha256_stamped
    delta = client.stampings.download_delta(stamping, tmp_path / "delta")
    assert path.stat().st_size + delta.size == stamped.stat().st_size
    found = client.verifications.check(stamped)
    assert (found.verdict, found.serials) == ("genuine", stamping.serials)
    assert not found.is_good, "a specimen"
    with stamped.open("ab") as file:
        file.write(b"% more")
    client.verifications.sealed(stamped, tmp_path / "sealed.pdf")
    assert client.verifications.check(tmp_path / "sealed.pdf").verdict == "genuine"
    assert client.verifications.serial(stamping.serials[0]).state == "affixed"
    assert [one.id for one in client.stampings.list(reference="PO-17", page_size=1)] == [
        stamping.id
    ]
    refund = client.refunds.ask(number)
    assert client.refunds.get(refund.id).amount == 10_000
    assert [one.id for one in client.refunds.list()] == [refund.id]


def test_documents_are_ordered_with_their_stamps_and_paid_once(
    client: Meterai, audited: Instance, tmp_path: Path
):
    given = client.orders.place_documents(
        [("satu.pdf", pdf(words="Satu")), ("dua.pdf", pdf(words="Dua"))],
        [InCorner("bottom_right"), [At(1, 60, 60), At(1, 300, 60, 80)]],
    )
    assert given.order.quantity == 3
    assert [one.document for one in given.stampings] == ["satu.pdf", "dua.pdf"]
    audited.bank.pay(given.order.payment.qr_content or "")
    client.orders.wait(given.order.id)
    for one in given.stampings:
        path = tmp_path / one.document
        client.stampings.download(client.stampings.wait(one.id), path)
        assert client.verifications.check(path).verdict == "genuine"


def test_async_client_makes_the_same_calls(audited: Instance, tmp_path: Path):
    key = audited.customer().key

    async def run() -> None:
        async with AsyncMeterai(audited.url, key, retrying=PATIENT) as client:
            orders = await asyncio.gather(*(client.orders.place(1) for _ in range(3)))
            for order in orders:
                await asyncio.to_thread(audited.bank.pay, order.payment.qr_content or "")
            await asyncio.gather(*(client.orders.wait(one.id) for one in orders))
            assert {one.id async for one in client.orders.list(page_size=1)} == {
                one.id for one in orders
            }
            stamping = await client.stampings.stamp(pdf(), InCorner("top_left"), name="a.pdf")
            await client.stampings.download(stamping, tmp_path / "a.pdf")
            assert (await client.verifications.check(tmp_path / "a.pdf")).verdict == "genuine"

    asyncio.run(run())


def test_wait_for_a_withdrawn_order_ends(client: Meterai):
    order = client.orders.place(1)
    assert client.orders.withdraw(order.id).state == "withdrawn"
    with pytest.raises(NotExecuted) as caught:
        client.orders.wait(order.id)
    assert caught.value.order.state == "withdrawn"


def test_refusal_has_its_code_and_request_id(client: Meterai, audited: Instance):
    with pytest.raises(Conflict) as conflict:
        client.stampings.stamp(pdf(), At(1, 60, 60))
    assert conflict.value.code == "not_enough_stamps"
    assert conflict.value.request_id
    with pytest.raises(Unusable) as unusable:
        client.orders.place(0)
    assert (unusable.value.code, unusable.value.field) == ("malformed", "quantity")
    with pytest.raises(NotFound):
        client.orders.get("ord_06f9k2")
    with Meterai(audited.url, "mtr_nothing") as stranger, pytest.raises(KeyRefused) as refused:
        stranger.stampings.balance()
    assert refused.value.title.isascii()


def test_lost_answers_cause_no_second_order_and_no_second_stamp(audited: Instance, tmp_path: Path):
    key = audited.customer().key
    with dropping(audited.port) as proxy, Meterai(proxy.url, key, retrying=PATIENT) as client:
        proxy.to_lose = 3
        number = bought(client, audited)
        assert proxy.lost == 3
        assert [one.id for one in client.orders.list()] == [number]
        proxy.to_lose = 2
        stamping = client.stampings.stamp(pdf(), InCorner("bottom_right"))
        assert proxy.lost == 5
        assert client.stampings.balance().used == 1
        client.stampings.download(stamping, tmp_path / "stamped.pdf")


def test_client_waits_for_a_killed_server(tmp_path: Path):
    with (
        Instance(tmp_path) as own,
        Meterai(own.url, own.customer().key, retrying=PATIENT) as client,
    ):
        own.kill("web")
        order = client.orders.place(1, key="order-1")
        assert client.orders.place(1, key="order-1").id == order.id
        paying = threading.Thread(target=own.bank.pay, args=(order.payment.qr_content or "",))
        paying.start()
        own.kill("worker")
        own.kill("web")
        client.orders.wait(order.id)
        paying.join()
        own.kill("web")
        stamping = client.stampings.stamp(pdf(), InCorner("bottom_right"), key="letter-1")
        own.kill("web")
        client.stampings.download(client.stampings.wait(stamping.id), tmp_path / "stamped.pdf")
        assert client.verifications.check(tmp_path / "stamped.pdf").verdict == "genuine"
        assert client.stampings.balance().used == 1
        own.assert_audit_holds()
