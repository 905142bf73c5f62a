"""An answer of any bytes means done, pending, refused or unknown, and only a success moves money."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterai.kit.clock import SystemClock
from meterai.kit.money import Rupiah
from meterai.payments import (
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
)
from meterai.payments.adapters.snap import reading
from meterai.payments.adapters.snap.provider import SnapProvider
from meterai.payments.model import (
    AttemptStatus,
    NotificationAct,
    OpenedAttempt,
    Payment,
    PaymentIdentity,
    PaymentQr,
    ProviderStatus,
    RefundMade,
    UnmatchedReason,
    judge,
)
from tests.support.bank import profile, soon
from tests.support.scripted import Scripted, scripted

AMOUNT = Rupiah(10_000)
THREE = (ProviderRefused, OutcomeUnknown, ProviderUnreachable)

# -- possible answers of a bank ----------------------------------------------------------------

STATUS = st.sampled_from(sorted(reading.STATUSES))
ODD_TEXT: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.text(max_size=12), st.integers(), st.booleans(), st.just({})
)
NUMBER = st.one_of(st.just("P1"), st.just("P2"), ODD_TEXT)
MONEY = st.one_of(
    st.just({"value": "10000.00", "currency": "IDR"}),
    st.sampled_from(["10000", "10000.50", "0.00", "-1.00", "1e4", ""]).map(
        lambda value: {"value": value, "currency": "IDR"}
    ),
    ODD_TEXT,
)
LINE = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"rrn": NUMBER, "amount": MONEY, "status": st.one_of(STATUS, ODD_TEXT)}
    ),
    ODD_TEXT,
)
ABOUT = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"rrn": NUMBER, "payments": st.one_of(st.lists(LINE, max_size=4), ODD_TEXT)}
    ),
    ODD_TEXT,
)
CODE = st.one_of(
    st.sampled_from(
        ["2005100", "2025100", "4045101", "4007802", "2007800", "5005100", 2005100, "2004700"]
    ),
    ODD_TEXT,
)
BODY = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "responseCode": CODE,
            "latestTransactionStatus": st.one_of(STATUS, ODD_TEXT),
            "amount": MONEY,
            "additionalInfo": ABOUT,
            "refundNo": NUMBER,
            "partnerRefundNo": st.one_of(st.just("RF"), ODD_TEXT),
            "refundAmount": MONEY,
            "qrContent": st.one_of(st.just("000201"), ODD_TEXT),
            "referenceNo": NUMBER,
            "partnerReferenceNo": st.one_of(st.just("EM"), ODD_TEXT),
            "detailData": st.one_of(st.lists(LINE, max_size=2), ODD_TEXT),
        },
    ).map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=30),
    st.sampled_from([b"", b"<html>ok</html>", b"[]", b"null", b"{", b"\xff", b"[" * 4_000]),
)
HTTP = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 403, 404, 405, 408, 409, 429, 500, 504])
KIND = st.sampled_from(["application/json", "text/html", "application/json; charset=x", ""])


def success(raw: bytes, service: str) -> dict[str, Any]:
    """The members of a body with the success code of the service, otherwise none."""
    body = json.loads(raw)
    assert isinstance(body, dict)
    assert str(body["responseCode"]) == f"200{service}00"
    return body


@given(HTTP, BODY)
def test_answer_is_done_only_with_200_and_the_code_of_its_service(status: int, raw: bytes) -> None:
    answer = answered(status, raw)
    if isinstance(answer, ProviderRefused):
        assert 400 <= status < 500
        assert answer.response_code.startswith(str(status))
    elif answer is not None:
        assert status == 200
        assert success(raw, "51") == answer


def answered(status: int, raw: bytes) -> reading.Answer | ProviderRefused | None:
    """The answer to a query, a refusal, or None for an unknown outcome."""
    try:
        return reading.read_answer("51", status, raw, PaymentIdentity())
    except ProviderRefused as refusal:
        return refusal
    except OutcomeUnknown:
        return None


@given(st.fixed_dictionaries({"latestTransactionStatus": STATUS}, optional={"additionalInfo": ABOUT, "amount": MONEY}))  # fmt: skip
def test_only_success_with_number_and_sum_is_money(answer: dict[str, Any]) -> None:
    try:
        found = reading.attempt_status(reading.compared(answer, PaymentIdentity()))
    except OutcomeUnknown:
        return
    for one in found.payments:
        if isinstance(one, Payment) and one.status is ProviderStatus.PAID:
            assert answer["latestTransactionStatus"] == "00"
            assert one.amount is not None
            assert one.amount.value > 0
            about = answer["additionalInfo"]
            own = [line.get("status") for line in about["payments"] if isinstance(line, dict)] if (
                "payments" in about
            ) else ["00"]  # fmt: skip
            assert "00" in own


NOTICE = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "originalPartnerReferenceNo": ODD_TEXT,
            "originalReferenceNo": ODD_TEXT,
            "latestTransactionStatus": st.one_of(STATUS, ODD_TEXT),
            "amount": MONEY,
            "additionalInfo": st.one_of(
                st.fixed_dictionaries({}, optional={"rrn": NUMBER}), ODD_TEXT
            ),
        },
    ).map(lambda body: json.dumps(body).encode()),
    st.binary(max_size=40),
)


@given(NOTICE)
def test_notification_of_any_shape_is_judged(raw: bytes) -> None:
    judged = judge(reading.read_notification(raw))
    assert isinstance(judged, NotificationAct | UnmatchedReason)
    if judged is NotificationAct.CAPTURE:
        body = json.loads(raw)
        assert body["latestTransactionStatus"] == "00"
        assert body["amount"]["currency"] == "IDR"
        assert str(body["additionalInfo"]["rrn"])


# -- over HTTP ---------------------------------------------------------------------------------

Call = Callable[[SnapProvider], Awaitable[object]]


async def history(provider: SnapProvider) -> object:
    return [one async for one in provider.history(soon(), soon())]


CALLS: dict[str, Call] = {
    "generate": lambda provider: provider.open("qris", "EM", AMOUNT, soon()),
    "query": lambda provider: provider.ask(PaymentIdentity(reference="EM")),
    "cancel": lambda provider: provider.cancel(PaymentIdentity(reference="EM"), "why"),
    "refund": lambda provider: provider.refund(PaymentIdentity(reference="EM"), "P1", "RF", AMOUNT),
    "refunded": lambda provider: provider.refunded(PaymentIdentity(reference="EM"), "RF", AMOUNT),
    "history": history,
}


@given(st.data())
@settings(max_examples=8)
def test_any_answer_is_done_refused_or_unknown(data: st.DataObject) -> None:
    async def story() -> None:
        async with scripted() as server:
            provider = SnapProvider(profile(server.url, timeout_seconds=2), SystemClock())
            await provider.connect()
            try:
                for _ in range(40):
                    await _one(data, server, provider)
            finally:
                await provider.close()

    asyncio.run(story())


async def _one(data: st.DataObject, server: Scripted, provider: SnapProvider) -> None:
    server.status, server.body = data.draw(HTTP), data.draw(BODY)
    server.content_type = data.draw(KIND)
    name = data.draw(st.sampled_from(sorted(CALLS)))
    try:
        answer = await CALLS[name](provider)
    except THREE:
        return
    if name == "query" and server.status == 404:
        assert answer == AttemptStatus(ProviderStatus.UNKNOWN, ())
        return
    assert server.status == 200
    if name == "refund":
        body = success(server.body, "78")
        assert answer == RefundMade(str(body["refundNo"]))
        assert body.get("partnerRefundNo", "RF") == "RF"
    if name == "generate":
        assert isinstance(answer, OpenedAttempt)
        assert isinstance(answer.instructions, PaymentQr)
        assert answer.instructions.content == success(server.body, "47")["qrContent"]


@pytest.mark.parametrize(
    ("status", "token"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b'{"responseCode":"2007300"}'),
        (200, b'{"responseCode":"2007300","accessToken":"a\\r\\nX: y","expiresIn":900}'),
        (200, b'{"responseCode":"2007300","accessToken":7,"expiresIn":900}'),
        (202, b'{"responseCode":"2027300","accessToken":"t"}'),
        (401, b'{"responseCode":"4017300","responseMessage":"Unauthorized."}'),
        (500, b"oops"),
    ],
)
def test_call_without_a_token_is_not_sent(status: int, token: bytes) -> None:
    async def story() -> None:
        async with scripted() as server:
            server.token_status, server.token = status, token
            provider = SnapProvider(profile(server.url, timeout_seconds=2), SystemClock())
            await provider.connect()
            with pytest.raises(ProviderUnreachable):
                await provider.ask(PaymentIdentity(reference="EM"))
            await provider.close()
            assert all("access-token" in path for path in server.asked)

    asyncio.run(story())
