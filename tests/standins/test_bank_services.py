"""Services of the stand-in banks: profiles, virtual accounts, transfers and reversals."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import standins
from standins import clock
from standins.bank import webhooks
from standins.bank.answers import CODES, answer
from standins.bank.overrides import ResponseOverride
from tests.support.keys import OUR_KEY, public_pem_of
from tests.support.snap_partner import (
    CUSTOMER,
    SERVICE_ID,
    SnapPartner,
    account,
    money,
    partner,
    transfer,
    triple,
)

NUMBER = SERVICE_ID + CUSTOMER
PROFILES = ("standard", "doku", "bri")
Story = Callable[[SnapPartner], Awaitable[None]]


def tell(story: Story, directory: Path, profile: str = "standard", **changes: Any) -> None:
    async def run() -> None:
        async with partner(directory, profile, **changes) as merchant:
            await story(merchant)

    asyncio.run(run())


def data(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer.get("virtualAccountData") or answer["virtualAccountdata"]
    return found


# Several banks and their profiles


def test_each_bank_has_its_own_address_key_and_state(tmp_path: Path) -> None:
    async def run() -> None:
        mine = public_pem_of(OUR_KEY)
        banks = [
            standins.BankOptions(name, "M", "s", mine, "http://127.0.0.1:9/", profile=name)
            for name in ("doku", "bri")
        ]
        running = await standins.start(
            standins.Options(tmp_path, "M", "s", mine, "http://127.0.0.1:9/", banks=banks)
        )
        await running.stop()
        assert list(running.bank_urls) == ["bank", "doku", "bri"]
        assert running.bank_url == running.bank_urls["bank"]
        assert len(set(running.bank_urls.values())) == 3

    asyncio.run(run())
    keys = {standins.bank_keys(tmp_path, name) for name in ("bank", "doku", "bri")}
    assert len(keys) == 3
    assert (tmp_path / "banks" / "bri" / "bank.sqlite").is_file()


@pytest.mark.parametrize("profile", PROFILES)
def test_qr_is_made_paid_and_queried_in_every_profile(tmp_path: Path, profile: str) -> None:
    async def story(merchant: SnapPartner) -> None:
        body = {"partnerReferenceNo": "EM-1", "amount": money(10_000), "merchantId": "METERAI"}
        made = await merchant.call("47", body)
        assert made["qrContent"]
        paid = await merchant.standin("pay", qr_content=made["qrContent"])
        [told] = await merchant.arrived(1, "52")
        assert told["additionalInfo"]["rrn"] == paid["rrn"]
        asked = {
            "originalPartnerReferenceNo": "EM-1",
            "serviceCode": merchant.profile.qr_service,
        }
        assert (await merchant.call("51", asked))["latestTransactionStatus"] == "00"
        assert merchant.forged == []

    tell(story, tmp_path, profile)


def test_calls_to_endpoints_have_timestamp_and_signature_of_the_profile(tmp_path: Path) -> None:
    async def heard(profile: str) -> dict[str, str]:
        async with partner(tmp_path / profile, profile) as merchant:
            await merchant.call("27", account("EM-1", 10_000))
            await merchant.standin("va/pay", number=NUMBER, ask=False)
            await merchant.arrived(1, "25")
            assert merchant.forged == []
            return next(headers for endpoint, _, headers in merchant.heard if endpoint == "25")

    standard, doku, bri = (asyncio.run(heard(profile)) for profile in PROFILES)
    assert "Authorization" not in standard
    assert standard["X-TIMESTAMP"].endswith("+07:00")
    assert len(standard["X-TIMESTAMP"]) == 25
    assert doku["Authorization"].startswith("Bearer ")
    assert doku["X-TIMESTAMP"].endswith("Z")
    assert len(bri["X-TIMESTAMP"]) == 29


# Virtual accounts


@pytest.mark.parametrize("profile", PROFILES)
def test_virtual_account_is_created_paid_notified_and_queried(tmp_path: Path, profile: str) -> None:
    async def story(merchant: SnapPartner) -> None:
        made = data(await merchant.call("27", account("EM-1", 20_000)))
        assert made["virtualAccountNo"] == NUMBER
        status = await merchant.call("26", triple())
        assert status["additionalInfo"]["latestTransactionStatus"] == "03"
        due = {"virtualAccountData": {"totalAmount": money(20_000), "inquiryStatus": "00"}}
        merchant.answers["24"] = [(200, due)]
        paid = await merchant.standin("va/pay", number=NUMBER.strip())
        assert paid["amount"] == 20_000
        [told] = await merchant.arrived(1, "25")
        assert (told["trxId"], told["referenceNo"]) == ("EM-1", paid["rrn"])
        assert told["paidAmount"] == money(20_000)
        inquiries = [body for endpoint, body, _ in merchant.heard if endpoint == "24"]
        if merchant.profile.inquires:
            assert inquiries[0]["inquiryRequestId"] == told["paymentRequestId"]
        else:
            assert inquiries == []
        status = await merchant.call("26", triple())
        lags = bool(merchant.profile.status_after_seconds)
        assert status["additionalInfo"]["latestTransactionStatus"] == ("03" if lags else "00")
        if not lags:
            assert data(status)["referenceNo"] == paid["rrn"]
            assert data(status)["paymentRequestId"] == told["paymentRequestId"]

    tell(story, tmp_path, profile)


def test_virtual_account_is_updated_deleted_and_then_takes_no_money(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        await merchant.call("27", account("EM-1", 20_000))
        changed = await merchant.call("28", account("EM-1", 30_000))
        assert data(changed)["totalAmount"] == money(30_000)
        for _ in range(2):
            gone = await merchant.call("31", triple() | {"trxId": "EM-1"})
            assert gone["responseCode"] == "2003100"
        refused = await merchant.standin("va/pay", number=NUMBER, ask=False)
        assert refused["error"] == "bill_closed"
        # The number is free again.
        assert (await merchant.call("27", account("EM-2", 5_000)))["responseCode"] == "2002700"

    tell(story, tmp_path)


def test_payment_without_an_answer_is_repeated_as_an_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_SECONDS", 0.01)

    async def story(merchant: SnapPartner) -> None:
        merchant.answers["25"] = [(500, {}), (504, {})]
        await merchant.call("27", account("EM-1", 20_000))
        await merchant.standin("va/pay", number=NUMBER, ask=False)
        told = await merchant.arrived(3, "25")
        assert [one["flagAdvise"] for one in told] == ["N", "Y", "Y"]
        assert len({one["paymentRequestId"] for one in told}) == 1
        numbers = {
            headers["X-EXTERNAL-ID"] for endpoint, _, headers in merchant.heard if endpoint == "25"
        }
        assert len(numbers) == 3

    tell(story, tmp_path)


@pytest.mark.parametrize(("profile", "denied"), [("bri", 20_000), ("doku", 0)])
def test_payment_refused_by_the_merchant_goes_back_by_profile(
    tmp_path: Path, profile: str, denied: int
) -> None:
    async def story(merchant: SnapPartner) -> None:
        merchant.answers["25"] = [(404, {"responseCode": "4042512"})]
        await merchant.call("27", account("EM-1", 20_000))
        await merchant.standin("va/pay", number=NUMBER, ask=False)
        await merchant.arrived(1, "25")
        await merchant.until("totals", lambda found: found["denied"] == denied)
        assert len(await merchant.arrived(1, "25")) == 1

    tell(story, tmp_path, profile)


def test_rolled_key_signs_later_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_SECONDS", 0.01)

    async def story(merchant: SnapPartner) -> None:
        told = await merchant.standin("roll-key", now=True)
        await paid_qr(merchant)
        await merchant.until("payments", lambda _: len(merchant.forged) > 1)
        assert merchant.heard == []
        assert told["public_key"].encode() == standins.bank_keys(tmp_path, "second")
        key = serialization.load_pem_public_key(told["public_key"].encode())
        assert isinstance(key, rsa.RSAPublicKey)
        merchant.key = key
        await merchant.arrived(1, "52")

    tell(story, tmp_path)


# Accounts and transfers


def test_account_name_is_answered_and_closed_accounts_are_refused(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        async def named(code: str, bank: str, number: str) -> dict[str, Any]:
            body = {"beneficiaryBankCode": bank, "beneficiaryAccountNo": number}
            return await merchant.call(code, body | {"partnerReferenceNo": "N-1"})

        for bank in ("014", "0140001", "CENAIDJA"):
            found = await named("16", bank, "1234567890")
            assert found["beneficiaryAccountName"] == "BUDI SANTOSO"
        assert (await named("15", "", "9990000001"))["beneficiaryAccountName"] == "RINA KARTIKA"
        for bank, number, code in (
            ("014", "1", "4041611"),
            ("777", "1234567890", "4041603"),
            ("014", "1000000009", "4031618"),
            ("008", "1300000000008", "4031609"),
        ):
            assert (await named("16", bank, number))["responseCode"] == code

    tell(story, tmp_path)


def test_transfer_is_made_once_and_paid_from_the_float_account(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        sent = await merchant.call("18", transfer("T-1", 10_000))
        assert sent["responseCode"] == "2001800"
        again = await merchant.call("18", transfer("T-1", 10_000))
        assert again["responseCode"] == "4091801"
        other = await merchant.call("18", transfer("T-1", 11_000))
        assert other["responseCode"] == "4041818"
        asked = {"originalPartnerReferenceNo": "T-1", "serviceCode": "18"}
        assert (await merchant.call("36", asked))["latestTransactionStatus"] == "00"
        unknown = asked | {"originalPartnerReferenceNo": "T-2"}
        assert (await merchant.call("36", unknown))["responseCode"] == "4043601"
        [info] = (await merchant.call("11", {}))["accountInfos"]
        assert info["availableBalance"] == money(90_000)
        poor = await merchant.call("18", transfer("T-3", 90_001))
        assert poor["responseCode"] == "4031814"

    tell(story, tmp_path, float_opening=100_000)


def test_transfer_comes_back_and_is_in_the_statement(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        await merchant.call("18", transfer("T-1", 10_000))
        await merchant.standin("transfer-returned", number="T-1")
        asked = {"originalPartnerReferenceNo": "T-1", "serviceCode": "18"}
        assert (await merchant.call("36", asked))["latestTransactionStatus"] == "04"
        span = {
            "fromDateTime": "2020-01-01T00:00:00+07:00",
            "toDateTime": "2999-01-01T00:00:00+07:00",
        }
        lines = (await merchant.call("14", span))["detailData"]
        assert [line["additionalInfo"]["kind"] for line in lines] == [
            "opening",
            "transfer",
            "transfer_returned",
        ]
        assert lines[-1]["detailBalance"]["endAmount"][0]["amount"] == money(100_000)
        again = await merchant.standin("transfer-returned", number="T-1")
        assert again["error"] == "nothing_to_return"

    tell(story, tmp_path, float_opening=100_000)


def test_faults_of_a_transfer_leave_the_described_state(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        async def state(number: str) -> str:
            asked = {"originalPartnerReferenceNo": number, "serviceCode": "18"}
            found = await merchant.call("36", asked)
            return str(found.get("latestTransactionStatus", found["responseCode"]))

        await merchant.standin("faults", transfer_500=1)
        assert (await merchant.call("18", transfer("T-1", 1)))["responseCode"] == "5001800"
        assert await state("T-1") == "4043601"
        await merchant.standin("faults", transfer_504_after_success=1)
        assert (await merchant.call("18", transfer("T-2", 1)))["responseCode"] == "5041800"
        assert await state("T-2") == "00"
        await merchant.standin("faults", refuse_transfers=1)
        assert (await merchant.call("18", transfer("T-3", 1)))["responseCode"] == "4051801"
        await merchant.standin("faults", transfers_pending=1, transfer_settles_after_seconds=0.3)
        assert (await merchant.call("18", transfer("T-4", 1)))["responseCode"] == "2021800"
        assert await state("T-4") == "03"
        await merchant.standin("faults", transfers_returned=1, transfer_returned_after_seconds=0.1)
        await merchant.call("18", transfer("T-5", 1))
        await merchant.until(
            "transfers", lambda found: [one["state"] for one in found[:2]] == ["04", "00"]
        )
        assert (await state("T-4"), await state("T-5")) == ("00", "04")

    tell(story, tmp_path)


# Later events and reversals


async def paid_qr(merchant: SnapPartner, number: str = "EM-1", rupiah: int = 20_000) -> str:
    body = {"partnerReferenceNo": number, "amount": money(rupiah), "merchantId": "METERAI"}
    content: str = (await merchant.call("47", body))["qrContent"]
    await merchant.standin("pay", qr_content=content)
    return content


def refund(number: str, refund_no: str, rupiah: int) -> dict[str, Any]:
    return {
        "originalPartnerReferenceNo": number,
        "partnerRefundNo": refund_no,
        "refundAmount": money(rupiah),
        "reason": "not executed",
    }


async def record(merchant: SnapPartner) -> list[tuple[str, str]]:
    span = {
        "fromDateTime": "2020-01-01T00:00:00+07:00",
        "toDateTime": "2999-01-01T00:00:00+07:00",
    }
    lines = (await merchant.call("12", span))["detailData"]
    return [(line["type"], line["amount"]["value"]) for line in lines]


def test_payment_charged_back_and_won_is_notified_three_times(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        content = await paid_qr(merchant)
        await merchant.standin("deny", qr_content=content)
        await merchant.standin("win-back", qr_content=content)
        told = await merchant.arrived(3, "52")
        assert sorted(one["latestTransactionStatus"] for one in told) == ["00", "00", "06"]
        assert await record(merchant) == [
            ("PAYMENT", "20000.00"),
            ("CHARGEBACK", "20000.00"),
            ("CHARGEBACK_REVERSAL", "20000.00"),
        ]
        asked = {"originalPartnerReferenceNo": "EM-1", "serviceCode": "47"}
        assert (await merchant.call("51", asked))["latestTransactionStatus"] == "00"
        again = await merchant.standin("win-back", qr_content=content)
        assert again["error"] == "nothing_to_reverse"
        assert await merchant.standin("totals") == {
            "received": 20_000,
            "refunded": 0,
            "denied": 0,
        }

    tell(story, tmp_path)


def test_reversed_refund_is_in_the_record_and_can_be_refunded_again(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        await paid_qr(merchant)
        await merchant.call("78", refund("EM-1", "R-1", 20_000))
        await merchant.standin("reverse-refund", partner_refund_no="R-1")
        detail = await merchant.call("13", {"originalPartnerReferenceNo": "EM-1"})
        assert detail["additionalInfo"]["refundHistory"][0]["refundStatus"] == "06"
        assert (await record(merchant))[-1] == ("REFUND_REVERSAL", "20000.00")
        again = await merchant.call("78", refund("EM-1", "R-2", 20_000))
        assert again["responseCode"] == "2007800"

    tell(story, tmp_path)


def test_bank_refunds_a_part_without_notification(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        content = await paid_qr(merchant)
        await merchant.arrived(1, "52")
        await merchant.standin("refund", qr_content=content, amount=5_000, told=False)
        assert (await record(merchant))[-1] == ("REFUND", "5000.00")
        # The next notification is about the next payment.
        await merchant.standin("pay", qr_content=content)
        told = await merchant.arrived(2, "52")
        assert [one["latestTransactionStatus"] for one in told] == ["00", "00"]

    tell(story, tmp_path)


def test_person_pays_a_virtual_account_and_sends_a_transfer_back_on_the_pages(
    tmp_path: Path,
) -> None:
    async def story(merchant: SnapPartner) -> None:
        async def post(path: str) -> tuple[int, str]:
            async with merchant.http.post(merchant.bank + path) as response:
                return response.status, await response.text()

        merchant.answers["24"] = [
            (200, {"virtualAccountData": {"totalAmount": money(20_000)}}),
        ]
        await merchant.call("27", account("EM-1", 20_000))
        async with merchant.http.get(
            f"{merchant.bank}/scan", params={"qr_content": NUMBER.strip()}
        ) as response:
            page, text = response.url.path, await response.text()
        assert NUMBER.strip() in text
        assert "Stand-in bank second" in text
        for act in ("pay", "pay-half", "deny", "win-back", "give-back", "reverse-refund"):
            status, text = await post(f"{page}/{act}")
            assert status == 200, (act, text)
        [bill] = await merchant.standin("payments")
        assert [one["amount"] for one in bill["payments"]] == [20_000, 10_000]
        await merchant.call("18", transfer("T/1", 10_000))
        status, text = await post("/transfers/T%2F1/return")
        assert (status, "Returned" in text) == (200, True)

    tell(story, tmp_path)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_standard_is_answered_on_demand(code: str) -> None:
    true = answer(200, {"responseCode": "2004700", "qrContent": "x"})
    told = ResponseOverride(code=code).apply_to(true)
    assert isinstance(told.body, bytes)
    assert told.status == int(code[:3])
    assert json.loads(told.body) == {
        "responseCode": f"{code[:3]}47{code[3:]}",
        "responseMessage": CODES[code],
    }


def test_virtual_account_takes_a_wrong_amount_twice_and_late_but_not_where_strict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(merchant: SnapPartner) -> None:
        await merchant.call("27", account("EM-1", 20_000))

        async def pay(**more: object) -> Any:
            return await merchant.standin("va/pay", number=NUMBER, ask=False, **more)

        assert (await pay(amount=19_999))["amount"] == 19_999
        assert (await pay())["amount"] == 20_000
        assert (await pay(amount=0))["error"] == "not_understood"
        tomorrow = clock.now_ms() + 2 * clock.DAY_MS
        monkeypatch.setattr(clock, "now_ms", lambda: tomorrow)
        assert (await pay())["amount"] == 20_000
        await merchant.standin("faults", strict=True)
        assert (await pay())["error"] == "already_paid"
        await merchant.log_in()
        await merchant.call("27", account("EM-2", 20_000, customer="2"))
        monkeypatch.setattr(clock, "now_ms", lambda: tomorrow + 2 * clock.DAY_MS)
        late = await merchant.standin("va/pay", number=SERVICE_ID + "2", ask=False)
        assert late["error"] == "past_validity"
        [_, bill] = await merchant.standin("payments")
        assert len(bill["payments"]) == 3

    tell(story, tmp_path)


def test_payment_without_an_order_and_two_with_one_number_are_notified(tmp_path: Path) -> None:
    async def story(merchant: SnapPartner) -> None:
        stray = await merchant.standin("stray", amount=7_000)
        told = await merchant.arrived(1, "52")
        assert told[0]["originalPartnerReferenceNo"] == stray["partner_reference_no"]
        assert (await record(merchant))[-1] == ("PAYMENT", "7000.00")
        contents = []
        for number in ("EM-1", "EM-2"):
            body = {"partnerReferenceNo": number, "amount": money(1_000), "merchantId": "METERAI"}
            contents.append((await merchant.call("47", body))["qrContent"])
        await merchant.standin("faults", one_rrn=2)
        for content in contents:
            await merchant.standin("pay", qr_content=content)
        told = await merchant.arrived(3, "52")
        assert len({one["additionalInfo"]["rrn"] for one in told[1:]}) == 1

    tell(story, tmp_path)
