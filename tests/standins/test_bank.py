"""The stand-in bank: signatures, QRs, log-in, notifications, faults and pages."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import standins
from standins import clock
from standins.bank import qris, signing, webhooks
from tests.support.keys import BANK_KEY, OUR_KEY, pem_of, public_pem_of

CLIENT, SECRET = "meterai-test", "not so secret"
WIB = timezone(timedelta(hours=7))
PUBLIC = public_pem_of(OUR_KEY)
numbers = itertools.count(1)


def rsa_sign(text: str) -> str:
    return base64.b64encode(
        OUR_KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    ).decode()


def timestamp() -> str:
    return datetime.fromtimestamp(clock.now_ms() / 1000, WIB).isoformat(timespec="seconds")


class Merchant:
    """A small merchant: signs calls, receives notifications."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.bank = ""
        self.token = ""
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[
            tuple[int, str]
        ] = []  # given in this order, before the answer becomes success
        self.bank_key: rsa.RSAPublicKey | None = None
        self.url = ""
        self.arrived = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers["X-TIMESTAMP"]
        text = f"POST:{request.raw_path}:{hashlib.sha256(body).hexdigest()}:{stamp}"
        assert self.bank_key is not None
        # On InvalidSignature the bank gets a 500, and the test no notification.
        self.bank_key.verify(
            base64.b64decode(request.headers["X-SIGNATURE"]),
            text.encode(),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
        status, code = self.answers.pop(0) if self.answers else (200, "2005200")
        self.received.append((dict(request.headers), body))
        self.arrived.set()
        return web.json_response({"responseCode": code, "responseMessage": "x"}, status=status)

    async def log_in(self, **changes: str) -> tuple[int, dict[str, Any]]:
        stamp = changes.pop("stamp", timestamp())
        headers = {
            "Content-Type": "application/json",
            "X-CLIENT-KEY": CLIENT,
            "X-TIMESTAMP": stamp,
            "X-SIGNATURE": rsa_sign(f"{CLIENT}|{stamp}"),
        } | changes
        url = f"{self.bank}/snap/v1.0/access-token/b2b"
        body = b'{"grantType":"client_credentials"}'
        async with self.http.post(url, data=body, headers=headers) as response:
            answer = await response.json()
        self.token = answer.get("accessToken", self.token)
        return response.status, answer

    async def call(
        self, path: str, body: dict[str, Any], *, symmetric: bool = True, **changes: Any
    ) -> dict[str, Any]:
        raw = json.dumps(body, separators=(",", ":")).encode()
        sent = raw.replace(b",", b" ,\n ") if changes.pop("spaced", "") else raw
        target = f"/snap/v1.0/qr/{path}"
        stamp = changes.pop("stamp", timestamp())
        digest = hashlib.sha256(raw).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": stamp,
            "X-PARTNER-ID": CLIENT,
            "X-EXTERNAL-ID": f"{next(numbers):012d}",
            "CHANNEL-ID": "95221",
        }
        if symmetric:
            text = f"POST:{target}:{self.token}:{digest}:{stamp}".encode()
            signed = hmac.new(SECRET.encode(), text, hashlib.sha512).digest()
            headers["Authorization"] = f"Bearer {self.token}"
            headers["X-SIGNATURE"] = base64.b64encode(signed).decode()
        else:
            headers["X-SIGNATURE"] = rsa_sign(f"POST:{target}:{digest}:{stamp}")
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        headers = {name: value for name, value in headers.items() if value != "-"}
        async with self.http.post(self.bank + target, data=sent, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
            assert answer["responseCode"].startswith(str(response.status))
            return answer

    async def generate(
        self, number: str = "", rupiah: int = 10_000, **more: object
    ) -> dict[str, Any]:
        body = {
            "partnerReferenceNo": number or f"EM-{next(numbers)}",
            "amount": money(rupiah),
            "merchantId": "METERAI",
        }
        return await self.call("qr-mpm-generate", body | more)

    async def query(self, number: str) -> dict[str, Any]:
        body = {"originalPartnerReferenceNo": number, "serviceCode": "47"}
        return await self.call("qr-mpm-query", body)

    async def refund(
        self, number: str, refund_no: str, rupiah: int, **more: object
    ) -> dict[str, Any]:
        body = {
            "originalPartnerReferenceNo": number,
            "partnerRefundNo": refund_no,
            "refundAmount": money(rupiah),
            "reason": "not executed",
        }
        return await self.call("qr-mpm-refund", body | more)

    async def cancel(self, number: str) -> dict[str, Any]:
        body = {"originalPartnerReferenceNo": number, "merchantId": "METERAI", "reason": "lapsed"}
        return await self.call("qr-mpm-cancel", body)

    async def standin(self, path: str, method: str = "POST", /, **body: object) -> tuple[int, Any]:
        url = f"{self.bank}/standin/{path}"
        async with self.http.request(method, url, json=body or None) as response:
            return response.status, await response.json()

    async def faults(self, **faults: object) -> None:
        status, _ = await self.standin("faults", **faults)
        assert status == 200

    async def pay(self, qr: dict[str, Any], **more: object) -> dict[str, Any]:
        status, answer = await self.standin("pay", qr_content=qr["qrContent"], **more)
        assert status == 200, answer
        paid: dict[str, Any] = answer
        return paid

    async def notifications(self, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        """The received bodies, once there are `count`."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return [json.loads(body) for _, body in self.received]


def money(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def options(directory: Path, url: str) -> standins.Options:
    return standins.Options(directory, CLIENT, SECRET, PUBLIC, url)


@asynccontextmanager
async def merchant_alone(directory: Path) -> AsyncIterator[Merchant]:
    (directory / signing.KEY_FILE).write_bytes(pem_of(BANK_KEY))
    async with aiohttp.ClientSession() as http:
        merchant = Merchant(http)
        key = serialization.load_pem_public_key(standins.bank_keys(directory))
        assert isinstance(key, rsa.RSAPublicKey)
        merchant.bank_key = key
        app = web.Application()
        app.router.add_post("/snap/v1.0/qr/qr-mpm-notify", merchant.receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        merchant.url = f"http://127.0.0.1:{port}/snap/v1.0/qr/qr-mpm-notify"
        try:
            yield merchant
        finally:
            await runner.cleanup()


def with_bank(directory: Path, story: Callable[[Merchant], Awaitable[None]]) -> None:
    """Run a scenario between a merchant that is logged in and a new bank."""

    async def run() -> None:
        async with merchant_alone(directory) as merchant:
            running = await standins.start(options(directory, merchant.url))
            try:
                merchant.bank = running.bank_url
                await merchant.log_in()
                await story(merchant)
            finally:
                await running.stop()

    asyncio.run(run())


# Signatures and payloads


def test_crc_equals_those_of_the_standard_and_of_a_foreign_payload() -> None:
    assert qris.crc("123456789") == "29B1"
    sample = (
        "00020101021226650019ID.CO.SIMULATOR.WWW011893609999000000000102090000000010303UKE"
        "51440014ID.CO.QRIS.WWW0215ID10999999999990303UKE5204931153033605405100005802ID"
        "5917METERAI SIMULATOR6013JAKARTA PUSAT61051011062480116EM202611240000010517"
        "pay_01JDSIMULATOR0703A01630443E7"
    )
    assert qris.scan(sample)["54"] == "10000"


# The life of a QR


def test_qr_is_made_paid_and_refunded_with_a_token(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        qr = await merchant.generate("EM-0001", 20_000)
        assert qr["responseCode"] == "2004700"
        assert qr["merchantName"] == "METERAI STAND-IN"
        tags = qris.fields(qr["qrContent"])
        assert (tags["01"], tags["54"], tags["58"]) == ("12", "20000", "ID")
        assert qris.fields(tags["62"])["05"] == qr["referenceNo"]
        assert tags["63"] == qris.crc(qr["qrContent"][:-4])

        state = await merchant.query("EM-0001")
        assert state["responseCode"] == "2005100"
        assert state["latestTransactionStatus"] == "03"
        assert state["amount"] == money(20_000)
        assert state["additionalInfo"] == {"payments": []}

        paid = await merchant.pay(qr)
        assert paid == {
            "reference_no": qr["referenceNo"],
            "partner_reference_no": "EM-0001",
            "rrn": paid["rrn"],
            "amount": 20_000,
            "status": "00",
        }
        assert len(paid["rrn"]) == 12
        [received] = await merchant.notifications(1)
        assert received["originalReferenceNo"] == qr["referenceNo"]
        assert received["originalPartnerReferenceNo"] == "EM-0001"
        assert received["latestTransactionStatus"] == "00"
        assert received["amount"] == money(20_000)
        assert received["additionalInfo"]["rrn"] == paid["rrn"]
        headers = merchant.received[0][0]
        assert headers["X-PARTNER-ID"] == CLIENT
        assert headers["X-EXTERNAL-ID"].isdigit()
        assert headers["CHANNEL-ID"]

        state = await merchant.query("EM-0001")
        assert state["latestTransactionStatus"] == "00"
        assert clock.read_snap_time(state["paidTime"]) <= clock.now_ms()
        [payment] = state["additionalInfo"]["payments"]
        assert payment["rrn"] == paid["rrn"] == state["additionalInfo"]["rrn"]
        assert payment["amount"] == money(20_000)

        assert (await merchant.cancel("EM-0001"))["responseCode"] == "4057701"

    with_bank(tmp_path, story)


def test_refunds_are_made_once_and_never_exceed_what_was_paid(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        await merchant.pay(await merchant.generate("EM-0001", 20_000))
        back = await merchant.refund("EM-0001", "RF-1", 5_000)
        assert back["responseCode"] == "2007800"
        assert back["refundAmount"] == money(5_000)
        again = await merchant.refund("EM-0001", "RF-1", 5_000)
        assert again == back
        other = await merchant.refund("EM-0001", "RF-1", 6_000)
        assert other["responseCode"] == "4047818"
        assert (await merchant.query("EM-0001"))["latestTransactionStatus"] == "00"
        assert (await merchant.refund("EM-0001", "RF-2", 15_001))["responseCode"] == "4037802"
        assert (await merchant.refund("EM-0001", "RF-2", 15_000))["responseCode"] == "2007800"
        assert (await merchant.query("EM-0001"))["latestTransactionStatus"] == "04"

        assert await merchant.standin("totals", "GET") == (
            200,
            {"received": 20_000, "refunded": 20_000, "denied": 0},
        )
        _, refunds = await merchant.standin("refunds", "GET")
        assert [refund["partner_refund_no"] for refund in refunds] == ["RF-2", "RF-1"]
        _, [bill] = await merchant.standin("payments", "GET")
        assert (bill["status"], bill["refunded"], len(bill["payments"])) == ("04", 20_000, 1)

    with_bank(tmp_path, story)


def test_two_payments_of_one_qr_are_notified_and_refunded_by_rrn(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        qr, other = await merchant.generate("A"), await merchant.generate("B")
        first, second = await merchant.pay(qr), await merchant.pay(qr, amount=9_000)
        assert first["rrn"] != second["rrn"]
        received = await merchant.notifications(2)
        assert {one["additionalInfo"]["rrn"] for one in received} == {first["rrn"], second["rrn"]}
        state = await merchant.query("A")
        assert state["amount"] == money(10_000)
        payments = state["additionalInfo"]["payments"]
        assert [payment["amount"]["value"] for payment in payments] == ["10000.00", "9000.00"]

        stranger = await merchant.pay(other)
        wrong = await merchant.refund("A", "R0", 1, additionalInfo={"rrn": stranger["rrn"]})
        assert wrong["responseCode"] == "4047801"
        too_much = await merchant.refund("A", "R0", 9_001, additionalInfo={"rrn": second["rrn"]})
        assert too_much["responseCode"] == "4037802"
        right = await merchant.refund("A", "R1", 9_000, additionalInfo={"rrn": second["rrn"]})
        assert right["responseCode"] == "2007800"
        assert (await merchant.query("A"))["latestTransactionStatus"] == "00"
        unnamed = await merchant.refund("A", "R2", 10_000)
        assert unnamed["responseCode"] == "2007800"
        _, [refund, _] = await merchant.standin("refunds", "GET")
        assert refund["rrn"] == first["rrn"]

    with_bank(tmp_path, story)


def test_cancelled_and_declined_take_no_money(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        cancelled, declined = await merchant.generate("C"), await merchant.generate("D")
        first = await merchant.cancel("C")
        assert first["responseCode"] == "2007700"
        assert await merchant.cancel("C") == first
        assert (await merchant.query("C"))["latestTransactionStatus"] == "05"
        status, answer = await merchant.standin("decline", qr_content=declined["qrContent"])
        assert (status, answer["status"]) == (200, "06")
        [received] = await merchant.notifications(1)
        assert received["latestTransactionStatus"] == "06"
        assert "rrn" not in received["additionalInfo"]
        assert (await merchant.query("D"))["latestTransactionStatus"] == "06"
        assert (await merchant.cancel("D"))["responseCode"] == "4057701"
        for qr in (cancelled, declined):
            status, answer = await merchant.standin("pay", qr_content=qr["qrContent"])
            assert (status, answer["error"]) == (409, "bill_closed")
        assert (await merchant.refund("C", "R", 1))["responseCode"] == "4057801"

    with_bank(tmp_path, story)


def test_chargeback_after_settlement_is_told(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        qr = await merchant.generate("E")
        paid = await merchant.pay(qr)
        await merchant.notifications(1)
        status, answer = await merchant.standin("deny", qr_content=qr["qrContent"], rrn=paid["rrn"])
        assert (status, answer["status"]) == (200, "06")
        received = (await merchant.notifications(2))[1]
        assert received["latestTransactionStatus"] == "06"
        assert received["additionalInfo"]["rrn"] == paid["rrn"]
        state = await merchant.query("E")
        assert state["latestTransactionStatus"] == "06"
        assert state["additionalInfo"]["payments"][0]["status"] == "06"
        assert (await merchant.refund("E", "R", 1))["responseCode"] == "4057801"
        status, answer = await merchant.standin("deny", qr_content=qr["qrContent"])
        assert (status, answer["error"]) == (409, "nothing_to_deny")
        _, totals = await merchant.standin("totals", "GET")
        assert totals == {"received": 10_000, "refunded": 0, "denied": 10_000}

    with_bank(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("qr-mpm-generate", {"amount": money(1)}, "4004702"),
        ("qr-mpm-generate", {"partnerReferenceNo": "x" * 65, "amount": money(1)}, "4004701"),
        ("qr-mpm-generate", {"partnerReferenceNo": "N"}, "4004702"),
        ("qr-mpm-generate", {"partnerReferenceNo": "N", "amount": money(0)}, "4004701"),
        ("qr-mpm-generate", {"partnerReferenceNo": "N", "amount": 10_000}, "4004701"),
        ("qr-mpm-generate", {"partnerReferenceNo": "N", "amount": money(10_000_001)}, "4034702"),
        (
            "qr-mpm-generate",
            {"partnerReferenceNo": "N", "amount": money(1), "merchantId": "OTHER"},
            "4044708",
        ),
        (
            "qr-mpm-generate",
            {"partnerReferenceNo": "N", "amount": money(1), "validityPeriod": "tomorrow"},
            "4004701",
        ),
        (
            "qr-mpm-generate",
            {
                "partnerReferenceNo": "N",
                "amount": money(1),
                "validityPeriod": "2020-01-01T00:00:00+07:00",
            },
            "4004701",
        ),
        ("qr-mpm-query", {"originalPartnerReferenceNo": "Q"}, "4005102"),
        ("qr-mpm-query", {"serviceCode": "47"}, "4005102"),
        ("qr-mpm-query", {"originalPartnerReferenceNo": "Q", "serviceCode": "17"}, "4005101"),
        ("qr-mpm-query", {"originalPartnerReferenceNo": "Q", "serviceCode": "47"}, "4045101"),
        ("qr-mpm-cancel", {"originalPartnerReferenceNo": "Q", "merchantId": "METERAI"}, "4007702"),
        ("qr-mpm-refund", {"originalPartnerReferenceNo": "Q"}, "4007802"),
        ("qr-mpm-nothing", {}, "4050000"),
    ],
)
def test_malformed_body_is_refused(
    tmp_path: Path, path: str, body: dict[str, Any], code: str
) -> None:
    async def story(merchant: Merchant) -> None:
        assert (await merchant.call(path, body))["responseCode"] == code

    with_bank(tmp_path, story)


# Authentication


def test_alternative_valid_signatures_are_accepted(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        body = {"partnerReferenceNo": "S 1", "amount": money(1)}
        spaced = await merchant.call("qr-mpm-generate", body, spaced="yes")
        assert spaced["responseCode"] == "2004700"
        body["partnerReferenceNo"] = "S 2"
        asymmetric = await merchant.call("qr-mpm-generate", body, symmetric=False, spaced="yes")
        assert asymmetric["responseCode"] == "2004700"

    with_bank(tmp_path, story)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"X_SIGNATURE": base64.b64encode(bytes(64)).decode()}, "4015100"),
        ({"X_SIGNATURE": "not base64!"}, "4015100"),
        ({"X_SIGNATURE": "-"}, "4005102"),
        ({"Authorization": "Bearer nobody-gave-this"}, "4015101"),
        ({"Authorization": "Basic eDp5"}, "4015103"),
        ({"X_PARTNER_ID": "somebody"}, "4015100"),
        ({"X_PARTNER_ID": "-"}, "4005102"),
        ({"X_EXTERNAL_ID": "-"}, "4005102"),
        ({"X_EXTERNAL_ID": "with space"}, "4005101"),
        ({"CHANNEL_ID": "-"}, "4005102"),
        ({"X_TIMESTAMP": "24 Nov 2026"}, "4005101"),
        ({"stamp": "2020-01-01T00:00:00+07:00"}, "4015100"),
        ({"Authorization": "-"}, "4015100"),  # then an RSA signature is expected
    ],
)
def test_authentication_refuses_wrong_headers(
    tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    async def story(merchant: Merchant) -> None:
        body = {"originalPartnerReferenceNo": "Q", "serviceCode": "47"}
        answer = await merchant.call("qr-mpm-query", body, **changes)
        assert answer["responseCode"] == code

    with_bank(tmp_path, story)


def test_external_id_is_accepted_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(merchant: Merchant) -> None:
        body = {"originalPartnerReferenceNo": "Q", "serviceCode": "47"}
        forged = await merchant.call(
            "qr-mpm-query", body, X_EXTERNAL_ID="77", X_SIGNATURE=base64.b64encode(b"x").decode()
        )
        assert forged["responseCode"] == "4015100"
        first = await merchant.call("qr-mpm-query", body, X_EXTERNAL_ID="77")
        assert first["responseCode"] == "4045101"
        again = await merchant.call("qr-mpm-refund", body, X_EXTERNAL_ID="77")
        assert again["responseCode"] == "4097800"
        move_clock(monkeypatch, 24 * 3600)
        await merchant.log_in()
        tomorrow = await merchant.call("qr-mpm-query", body, X_EXTERNAL_ID="77")
        assert tomorrow["responseCode"] == "4045101"

    with_bank(tmp_path, story)


def move_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    real = clock.now_ms
    monkeypatch.setattr(clock, "now_ms", lambda: real() + round(seconds * 1000))


# Notifications


def test_notification_is_repeated_until_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A tenth of the real pauses, since the test is about their doubling.
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_SECONDS", 0.1)

    async def story(merchant: Merchant) -> None:
        merchant.answers = [(500, "5005200"), (200, "4005200"), (302, "2005200")]
        await merchant.pay(await merchant.generate("N"))
        await merchant.notifications(4)
        await asyncio.sleep(0.3)
        assert len({headers["X-EXTERNAL-ID"] for headers, _ in merchant.received}) == 1
        assert len({body for _, body in merchant.received}) == 1
        assert len(merchant.received) == 4

    with_bank(tmp_path, story)


def test_state_survives_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with merchant_alone(tmp_path) as merchant:
            # No server listens on the notify URL during the first run.
            running = await standins.start(options(tmp_path, "http://127.0.0.1:9/snap/notify"))
            merchant.bank = running.bank_url
            await merchant.log_in()
            qr = await merchant.generate("KEPT")
            await merchant.faults(query_500=1)
            paid = await merchant.pay(qr)
            await merchant.refund("KEPT", "R", 1_000)
            await asyncio.sleep(0.1)
            await running.stop()
            await running.stop()

            running = await standins.start(options(tmp_path, merchant.url))
            try:
                merchant.bank = running.bank_url
                [received] = await merchant.notifications(1)
                assert received["additionalInfo"]["rrn"] == paid["rrn"]
                assert (await merchant.query("KEPT"))["responseCode"] == "5005100"
                state = await merchant.query("KEPT")
                assert state["latestTransactionStatus"] == "00"
                assert (await merchant.refund("KEPT", "R", 1_000))["responseCode"] == "2007800"
                _, totals = await merchant.standin("totals", "GET")
                assert totals == {"received": 10_000, "refunded": 1_000, "denied": 0}
            finally:
                await running.stop()

    asyncio.run(story())


# Faults


def test_faults_that_spoil_answers(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        await merchant.faults(generate_500=1, generate_504_after_success=1)
        assert (await merchant.generate("G"))["responseCode"] == "5004700"
        assert (await merchant.query("G"))["responseCode"] == "4045101"
        assert (await merchant.generate("G"))["responseCode"] == "5044700"
        assert (await merchant.query("G"))["latestTransactionStatus"] == "03"
        qr = await merchant.generate("H")
        await merchant.pay(qr)

        await merchant.faults(query_500=1, query_504=2)
        codes = [(await merchant.query("H"))["responseCode"] for _ in range(4)]
        assert codes == ["5005100", "5045100", "5045100", "2005100"]

        await merchant.faults(refund_500=1, refund_504_after_success=1)
        assert (await merchant.refund("H", "R1", 100))["responseCode"] == "5007800"
        assert await merchant.standin("refunds", "GET") == (200, [])
        assert (await merchant.refund("H", "R1", 100))["responseCode"] == "5047800"
        await merchant.faults(refuse_refunds=-1)
        for _ in range(2):
            assert (await merchant.refund("H", "R2", 100))["responseCode"] == "4057801"
        # A refund that was made stays made, also while refunds are refused.
        assert (await merchant.refund("H", "R1", 100))["responseCode"] == "2007800"
        status, standing = await merchant.standin("faults", "DELETE")
        assert (status, standing["refuse_refunds"]) == (200, 0)
        assert (await merchant.refund("H", "R2", 100))["responseCode"] == "2007800"

    with_bank(tmp_path, story)


def test_faults_that_spoil_notifications(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        await merchant.faults(drop_notifications=1, double_notifications=1)
        qr = await merchant.generate("N")
        lost, doubled = await merchant.pay(qr), await merchant.pay(qr)
        received = await merchant.notifications(2)
        assert [one["additionalInfo"]["rrn"] for one in received] == [doubled["rrn"]] * 2
        assert len({headers["X-EXTERNAL-ID"] for headers, _ in merchant.received}) == 1
        await merchant.faults(notification_delay_seconds=0.3)
        before = clock.now_ms()
        late = await merchant.pay(qr)
        received = await merchant.notifications(3)
        assert clock.now_ms() - before >= 290
        assert received[2]["additionalInfo"]["rrn"] == late["rrn"] != lost["rrn"]

    with_bank(tmp_path, story)


def test_slow_answers_come_after_the_act(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        await merchant.faults(response_delay_seconds=2)
        asking = asyncio.create_task(merchant.generate("SLOW"))
        bills: list[Any] = []
        async with asyncio.timeout(20):
            while not bills:
                await asyncio.sleep(0.02)
                _, bills = await merchant.standin("payments", "GET")
        assert [bill["partner_reference_no"] for bill in bills] == ["SLOW"]
        assert not asking.done()
        assert (await asking)["responseCode"] == "2004700"

    with_bank(tmp_path, story)


def test_scheduled_chargeback_happens_by_itself(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        await merchant.faults(deny_after_settlement_seconds=1)
        kept, denied = await merchant.generate("K"), await merchant.generate("D")
        stands = clock.now_ms()
        with pytest.MonkeyPatch.context() as world:
            # Both chargebacks wait until one payment is refunded and the other paid, however long that takes.
            world.setattr(clock, "now_ms", lambda: stands)
            await merchant.pay(kept)
            await merchant.refund("K", "R", 10_000)
            paid = await merchant.pay(denied)
        received = (await merchant.notifications(3))[2]
        assert (received["latestTransactionStatus"], received["additionalInfo"]["rrn"]) == (
            "06",
            paid["rrn"],
        )
        assert (await merchant.query("D"))["latestTransactionStatus"] == "06"
        assert (await merchant.query("K"))["latestTransactionStatus"] == "04"
        await merchant.faults(deny_after_settlement_seconds=None)

    with_bank(tmp_path, story)


# Pages


def test_person_pays_on_the_pages(tmp_path: Path) -> None:
    async def story(merchant: Merchant) -> None:
        qr = await merchant.generate("<b>bold</b>", 12_500)
        url, reference = merchant.bank, qr["referenceNo"]

        async def shown(path: str, **form: str) -> str:
            asking = merchant.http.post(url + path, data=form) if form else None
            async with asking or merchant.http.get(url + path) as response:
                assert response.content_type in ("text/html", "text/css")
                return await response.text()

        front = await shown("/")
        assert "Stand-in bank - no real money" in front
        assert "Rp12.500" in front
        assert "&lt;b&gt;" in front
        assert "<b>bold" not in front
        assert "<script" not in front
        assert "table" in await shown("/page.css")
        scanned = await shown(f"/scan?qr_content={qr['qrContent'].replace(' ', '+')}")
        assert "<svg" in scanned
        assert "Pending" in scanned
        assert "not a QRIS payload" in await shown("/scan?qr_content=hello")
        assert "paid more than once" in await shown(f"/qr/{reference}/pay-twice", x="")
        assert len(await merchant.notifications(2)) == 2
        assert "was paid" in await shown(f"/qr/{reference}/decline", x="")
        assert "denied 20" in await shown(f"/qr/{reference}/deny", x="")

        form = {"query_500": "3", "strict": "on", "response_delay_seconds": "0.01"}
        assert "value='3'" in await shown("/faults", **form)
        _, standing = await merchant.standin("faults", "GET")
        assert (standing["query_500"], standing["strict"]) == (3, True)
        assert standing["deny_after_settlement_seconds"] is None
        assert "takes count" in await shown("/faults", query_500="many")
        await shown("/faults/clear", x="")
        _, standing = await merchant.standin("faults", "GET")
        assert not any(standing.values())

    with_bank(tmp_path, story)
