"""Nothing is sent to an address that is not public, whatever URL, name or redirect leads to it."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from meterai.plumbing.networks import networks_of
from meterai.webhooks.adapters import egress as egress_of
from meterai.webhooks.adapters.egress import Egress, NotPublic
from meterai.webhooks.adapters.sending import Sender
from meterai.webhooks.model import Failure, WebhookUrlRefused, address_of
from standins.receiver import Receiver
from tests.webhooks.certificates import certificate_for
from tests.webhooks.conftest import Hooked


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not_a_url"),
        ("a.example", "not_https"),
        ("ftp://a.example/", "not_https"),
        ("javascript:alert(1)", "not_https"),
        ("https://", "not_a_host"),
        ("https:///path", "not_a_host"),
        ("https://user@a.example/", "has_user"),
        ("https://a.example:b@c.example/", "has_user"),
        ("https://a.example/#part", "has_fragment"),
        ("https://a.example\\@b.example/", "not_a_url"),
        ("https://a.example/a b", "not_a_url"),
        ("https://a.example/\r\nX: y", "not_a_url"),
        ("https://a.example/é", "not_a_url"),
        ("https://a.example:99999/", "not_a_url"),
        ("https://a.example:x/", "not_a_url"),
        ("https://[::1", "not_a_url"),
        ("https://[fe80::1%25eth0]/", "not_a_host"),
        ("https://a..example/", "not_a_host"),
        ("https://-a.example/", "not_a_host"),
        ("https://2130706433/", "not_a_host"),
        ("https://0x7f.1/", "not_a_host"),
        ("https://0177.0.0.1/", "not_a_host"),
        ("https://127.1/", "not_a_host"),
        ("https://8.8.8.8:0443/x", "not_a_host"),
        ("https://8.8.8.8:/x", "not_a_host"),
        ("https://8.8.8.8./x", "not_a_host"),
        ("https://a.example/" + "a" * 1_000, "not_a_url"),
    ],
)
def test_unusual_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(WebhookUrlRefused) as refused:
        address_of(url)
    assert refused.value.reason.code == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/", "not_public"),
        ("https://[::ffff:169.254.169.254]/", "not_public"),
        ("https://169.254.169.254/latest/meta-data", "not_public"),
        ("https://localhost/", "not_public"),
        ("http://8.8.8.8/", "not_https"),
        ("https://8.8.8.8:22/", "port"),
        ("https://8.8.8.8:6379/", "port"),
    ],
)
def test_forbidden_address_is_refused(url: str, reason: str) -> None:
    async def check() -> None:
        guard = Egress()
        try:
            with pytest.raises(WebhookUrlRefused) as refused:
                await guard.check(address_of(url))
            assert refused.value.reason.code == reason
        finally:
            await guard.close()

    asyncio.run(check())


def _changing_answers(*answers: Sequence[str]) -> Any:
    """A look-up of names with changing answers; the last answer stays."""
    left = list(answers)

    def look_up(_: str) -> Any:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in found]

    return look_up


def test_name_with_one_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(egress_of, "_look_up", _changing_answers(["8.8.8.8", "10.0.0.1"]))

    async def check() -> None:
        guard = Egress()
        with pytest.raises(WebhookUrlRefused):
            await guard.check(address_of("https://a.example/"))
        await guard.close()

    asyncio.run(check())


def test_name_that_changes_is_called_at_its_checked_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(egress_of, "_look_up", _changing_answers(["8.8.8.8"], ["127.0.0.1"]))

    async def check() -> None:
        guard = Egress()
        await guard.to_send(address_of("https://a.example/"))
        [found] = await guard.resolve("a.example", 443)
        assert found["host"] == "8.8.8.8"
        monkeypatch.setattr(egress_of, "PINNED_SECONDS", 0.0)
        guard._pinned.clear()
        with pytest.raises(NotPublic):
            await guard.to_send(address_of("https://a.example/"))
        with pytest.raises(NotPublic):
            await guard.resolve("a.example", 443)
        await guard.close()

    asyncio.run(check())


def test_redirect_is_not_followed(hooked: Hooked) -> None:
    endpoint, _ = hooked.make(
        "/redirect/http%3A%2F%2F127.0.0.1%3A" + hooked.receiver.url[-5:] + "%2Fok"
    )
    hooked.test(endpoint)
    hooked.deliver()
    assert [came.path.split("/")[1] for came in hooked.receiver.received] == ["redirect"]


@pytest.mark.parametrize(
    ("name", "is_trusted", "failure"),
    [
        ("localhost", True, None),
        ("localhost", False, Failure.CERTIFICATE),
        ("other.example", True, Failure.CERTIFICATE),
    ],
)
def test_certificate_must_be_trusted_and_match_the_host(
    tmp_path: Path, name: str, is_trusted: bool, failure: Failure | None
) -> None:
    files = certificate_for(tmp_path, name)

    async def send() -> Failure | None:
        receiver, served = Receiver(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        served.load_cert_chain(files)
        url = (await receiver.serve(certificate=served)).replace("127.0.0.1", "localhost")
        trusts = ssl.create_default_context(cafile=str(files)) if is_trusted else None
        sender = Sender(Egress(networks_of("webhook_networks", "127.0.0.0/8, ::1/128")), trusts)
        outcome = await sender.send(url + "/ok", {}, b"{}")
        await sender.close()
        await receiver.stop()
        return outcome.failure

    assert asyncio.run(send()) == failure
