"""Virtual accounts at three kinds of SNAP bank at once: made, queried, paid, deleted."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.banks import SERVICE_ID, Banks, open_banks

Story = Callable[[Banks], Awaitable[None]]
KINDS = ["bank", "doku", "bri"]


def play(database_url: str, directory: Path, story: Story, **more: Any) -> None:
    async def run() -> None:
        async with open_banks(database_url, directory, **more) as banks:
            await story(banks)

    asyncio.run(run())


@pytest.mark.parametrize("rail", KINDS)
def test_order_is_paid_into_a_virtual_account(database_url: str, tmp_path: Path, rail: str) -> None:
    async def story(banks: Banks) -> None:
        order = await banks.order(payment_method="va")
        told = order["payment"]["instructions"]
        assert (told["kind"], told["number"].startswith(SERVICE_ID)) == ("account_number", True)
        assert order["payment"]["method"] == "va"
        assert (await banks.pay(rail, told["number"]))[0] == 200
        assert await banks.outcomes(1) == ["captured"]
        await banks.work()
        assert (await banks.shown(order))["state"] == "executed"
        [row] = await banks.rows(
            "SELECT provider, payment, learned_by FROM captures JOIN payment_attempts"
            " USING (account_id, attempt_id)"
        )
        assert (row["provider"], row["learned_by"]) == (rail, "notification")
        assert row["payment"].startswith("" if rail == "bank" else f"{rail}:")
        # Queried afterwards, it is the same payment.
        await banks.round()
        assert len(await banks.rows("SELECT 1 FROM captures")) == 1
        assert not await banks.rows("SELECT 1 FROM suspense_items")

    play(database_url, tmp_path, story, payment_rails=f"{rail}")


async def payment_of(banks: Banks, rail: str, number: str, **changes: Any) -> tuple[int, Any]:
    """Post a payment (25) as the bank signs it, by the standard profile."""
    body = {
        "partnerServiceId": SERVICE_ID.rjust(8),
        "customerNo": int(number.removeprefix(SERVICE_ID)),
        "virtualAccountNo": SERVICE_ID.rjust(8) + number.removeprefix(SERVICE_ID),
        "paymentRequestId": "PR-1",
        "paidAmount": {"value": "10000.00", "currency": "IDR"},
        "referenceNo": "R-1",
        "paymentType": 1,
        "flagAdvise": "N",
        "unheardOf": [12345678901234567890123],
    } | changes
    return await banks.told_by_bank("/snap/v1.0/transfer-va/payment", body)


async def inquiry_of(banks: Banks, number: str) -> tuple[int, Any]:
    body = {
        "partnerServiceId": SERVICE_ID.rjust(8),
        "customerNo": number.removeprefix(SERVICE_ID),
        "virtualAccountNo": SERVICE_ID.rjust(8) + number.removeprefix(SERVICE_ID),
        "inquiryRequestId": "IN-1",
    }
    return await banks.told_by_bank("/snap/v1.0/transfer-va/inquiry", body)


async def numbered(banks: Banks) -> tuple[dict[str, Any], str]:
    order = await banks.order(payment_method="va")
    return order, order["payment"]["instructions"]["number"]


def test_inquiry_is_answered_with_the_bill_of_the_account(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        order, number = await numbered(banks)
        status, told = await inquiry_of(banks, number)
        data = told["virtualAccountData"]
        assert (status, told["responseCode"], data["inquiryStatus"]) == (200, "2002400", "00")
        assert data["totalAmount"] == {"value": "10000.00", "currency": "IDR"}
        assert (data["virtualAccountTrxType"], data["inquiryRequestId"]) == ("C", "IN-1")
        assert (await inquiry_of(banks, f"{SERVICE_ID}000000000000"))[1][
            "responseCode"
        ] == "4042412"
        assert (await payment_of(banks, "bank", number))[0] == 200
        assert (await inquiry_of(banks, number))[1]["responseCode"] == "4042414"
        _, other = await numbered(banks)
        banks.arrange("UPDATE payment_attempts SET expires_at = now() WHERE state = 'waiting'")
        assert (await inquiry_of(banks, other))[1]["responseCode"] == "4042419"
        await banks.work()
        assert (await banks.shown(order))["state"] == "executed"

    play(database_url, tmp_path, story, payment_rails="bank")


def test_repeated_payment_counts_once_and_gets_the_same_answer(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        order, number = await numbered(banks)
        wrong = {"value": "9999.00", "currency": "IDR"}
        answers = [
            await payment_of(banks, "bank", number, paidAmount=wrong),
            await payment_of(banks, "bank", number),
            await payment_of(banks, "bank", number, flagAdvise="Y"),
            await payment_of(banks, "bank", number, paidAmount=wrong),
            await payment_of(banks, "bank", number, referenceNo="R-2", paymentRequestId="PR-2"),
            await payment_of(banks, "bank", f"{SERVICE_ID}000000000000"),
            await payment_of(banks, "bank", number, paidAmount={"value": "10", "currency": "USD"}),
            await payment_of(banks, "bank", number, paymentRequestId=""),
        ]
        assert [(status, told["responseCode"]) for status, told in answers] == [
            (404, "4042513"),
            (200, "2002500"),
            (200, "2002500"),
            (404, "4042518"),
            (404, "4042514"),
            (404, "4042512"),
            (400, "4002502"),
            (400, "4002502"),
        ]
        assert answers[1][1]["virtualAccountData"]["paymentFlagStatus"] == "00"
        assert answers[0][1]["virtualAccountData"]["paymentFlagStatus"] == "01"
        await banks.work()
        assert (await banks.shown(order))["state"] == "executed"
        [row] = await banks.rows("SELECT payment, amount FROM captures")
        assert row == {"payment": "R-1", "amount": 10_000}
        # A refused payment causes a query, since its bank may have kept it.
        outcomes = await banks.rows("SELECT outcome FROM notification_inbox ORDER BY received_at")
        assert [row["outcome"] for row in outcomes] == [
            "refused_amount_wrong",
            "captured",
            "known",
            "suspended_amount_differs",
            "refused_paid",
            "refused_not_found",
        ]

    play(database_url, tmp_path, story, payment_rails="bank")


def test_payment_with_the_id_of_another_is_a_conflict(database_url: str, tmp_path: Path) -> None:
    async def story(banks: Banks) -> None:
        _, number = await numbered(banks)
        path = "/snap/v1.0/transfer-va/payment"
        body = {
            "virtualAccountNo": number,
            "paymentRequestId": "PR-1",
            "paidAmount": {"value": "10000.00", "currency": "IDR"},
        }
        first = await banks.told_by_bank(path, body, external_id="7")
        assert await banks.told_by_bank(path, body, external_id="7") == first
        status, told = await banks.told_by_bank(
            path, body | {"paymentRequestId": "PR-2"}, external_id="7"
        )
        assert (status, told["responseCode"]) == (409, "4092500")
        [row] = await banks.rows("SELECT reason FROM suspense_items")
        assert row["reason"] == "id_conflict"
        assert len(await banks.rows("SELECT 1 FROM captures")) == 1

    play(database_url, tmp_path, story, payment_rails="bank")


def test_call_with_wrong_signature_is_refused_in_the_format_of_its_service(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        _, number = await numbered(banks)
        for path, code in (
            ("/snap/v1.0/transfer-va/payment", "4012500"),
            ("/snap/v1.0/transfer-va/inquiry", "4012400"),
            ("/snap/v1.0/access-token/b2b", "4017300"),
            ("/snap/bri/v1.0/transfer-va/payment", "4012501"),
        ):
            status, told = await banks.told_by_bank(path, {"virtualAccountNo": number}, forged=True)
            assert (status, told["responseCode"]) == (401, code)
        # A bank without a rail has no endpoint, and the first bank has none below the paths of others.
        for name in ("nobody", "bank"):
            status, told = await banks.told_by_bank(f"/snap/{name}/v1.0/transfer-va/payment", {})
            assert (status, told["responseCode"]) == (404, "4042500")
        assert not await banks.rows("SELECT 1 FROM notification_inbox")

    play(database_url, tmp_path, story, payment_rails="bank bri")


@pytest.mark.parametrize("rail", KINDS)
def test_payment_without_news_is_found_by_a_query(
    database_url: str, tmp_path: Path, rail: str
) -> None:
    async def story(banks: Banks) -> None:
        order, number = await numbered(banks)
        await banks.control(rail, "faults", drop_notifications=1)
        assert (await banks.pay(rail, number))[0] == 200
        await banks.round()
        # The payment at doku is known after a minute.
        state = "placed" if rail == "doku" else "executed"
        assert (await banks.shown(order))["state"] == state

    play(database_url, tmp_path, story, payment_rails=rail)


@pytest.mark.parametrize("rail", KINDS)
def test_withdrawn_order_deletes_its_virtual_account(
    database_url: str, tmp_path: Path, rail: str
) -> None:
    async def story(banks: Banks) -> None:
        order, number = await numbered(banks)
        await banks.asked(f"/v1/orders/{order['id']}/withdraw")
        assert (await banks.pay(rail, number))[0] == 409
        [row] = await banks.rows(
            "SELECT state, cancel_at = 'infinity' AS done FROM payment_attempts"
        )
        assert row == {"state": "cancelled", "done": True}

    play(database_url, tmp_path, story, payment_rails=rail)


def test_virtual_account_of_a_lost_answer_gets_a_successor(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        await banks.control("bank", "faults", create_va_504_after_success=1)
        order = await banks.order(payment_method="va")
        assert order["payment"]["state"] == "opening"
        for _ in range(3):
            await banks.round()
        number = (await banks.shown(order))["payment"]["instructions"]["number"]
        states = await banks.rows("SELECT state FROM payment_attempts ORDER BY attempt_id")
        assert [row["state"] for row in states] == ["cancelled", "waiting"]
        assert (await banks.pay("bank", number))[0] == 200

    play(database_url, tmp_path, story, payment_rails="bank")
