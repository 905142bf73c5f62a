"""Verification of messages signed by the library of Standard Webhooks, and of the example on its page."""

import base64
from datetime import UTC, datetime

import pytest
from meterai_client import Webhook, WebhookForged
from standardwebhooks import Webhook as Theirs

SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes or more").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of an endpoint").decode()
BODY = b'{"type": "order.executed", "data": {"id": "ord_1", "note": "\xc3\xa9"}}'
NOW = 1_700_000_000


def signed(secret: str = SECRET, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    when = datetime.fromtimestamp(at, UTC)
    signature = Theirs(secret).sign("msg_1", when, body.decode())
    return {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(at), "Webhook-Signature": signature}


def ours(*secrets: str, now: int = NOW) -> Webhook:
    return Webhook(*(secrets or (SECRET,)), clock=lambda: now)


def test_published_example_is_genuine() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    hook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", clock=lambda: 1614265330)
    assert hook.verify(headers, b'{"test": 2432232314}') == {"test": 2432232314}


def test_message_signed_by_other_library_is_genuine() -> None:
    assert ours().verify(signed(), BODY)["data"]["note"] == "é"


def test_one_valid_signature_among_several_suffices() -> None:
    headers = signed()
    wrong = signed(OTHER)["Webhook-Signature"]
    headers["Webhook-Signature"] = f"v2,abc {wrong} {headers['Webhook-Signature']} v1,===="
    assert ours().verify(headers, BODY)


def test_both_secrets_are_valid_during_rotation() -> None:
    for secret in (SECRET, OTHER):
        assert ours(SECRET, OTHER).verify(signed(secret), BODY)


@pytest.mark.parametrize("late", [-301, 301])
def test_old_or_future_message_is_refused(late: int) -> None:
    with pytest.raises(WebhookForged, match="minutes"):
        ours(now=NOW + late).verify(signed(), BODY)
    assert ours(now=NOW + (late - 1 if late > 0 else late + 1)).verify(signed(), BODY)


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Id": "msg_2"},
        {"Webhook-Timestamp": str(NOW + 1)},
        {"Webhook-Timestamp": "nan"},
        {"Webhook-Timestamp": "-1"},
        {"Webhook-Timestamp": "٣"},
        {"Webhook-Timestamp": "9" * 400},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1,é"},
        {"Webhook-Signature": signed(OTHER)["Webhook-Signature"]},
        {"Webhook-Signature": signed()["Webhook-Signature"].replace("v1", "v1a")},
    ],
    ids=str,
)
def test_changed_message_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(WebhookForged):
        ours().verify(signed() | changed, BODY)


def test_changed_body_is_refused() -> None:
    for body in (BODY + b" ", BODY.replace(b"ord_1", b"ord_2"), b""):
        with pytest.raises(WebhookForged):
            ours().verify(signed(), body)


def test_missing_header_is_named() -> None:
    with pytest.raises(WebhookForged, match="webhook-signature"):
        ours().verify({"webhook-id": "msg_1", "webhook-timestamp": str(NOW)}, BODY)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "pass word"])
def test_invalid_secret_is_refused_at_once(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        Webhook(secret)
