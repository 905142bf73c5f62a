"""Nothing is sent to an address that is not public, whatever URL, name or redirect leads to it."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from meterai.apps.needs import check_needs
from meterai.plumbing.config import ConfigurationWrong
from meterai.plumbing.networks import networks_of
from meterai.webhooks.adapters import egress as egress_of
from meterai.webhooks.adapters.egress import Egress, NotPublic, is_public
from meterai.webhooks.adapters.sending import Sender
from meterai.webhooks.model import Failure, WebhookUrlRefused, address_of
from standins.receiver import Receiver
from tests.webhooks.certificates import certificate_for
from tests.webhooks.conftest import Hooked

NOT_PUBLIC = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "103.10.20.30", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_address_that_is_not_public_is_recognized(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_address_is_accepted(text: str) -> None:
    assert is_public(ip_address(text))


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


def test_name_that_resolves_to_private_address_later_gets_no_message(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = hooked.make()
    port = hooked.receiver.url.rsplit(":", 1)[1]
    hooked.shop.call("UPDATE webhook_endpoints SET url = %s", f"https://inside.example:{port}/ok")
    monkeypatch.setattr(egress_of, "_look_up", _changing_answers(["10.0.0.1"]))
    hooked.test(endpoint)
    hooked.deliver()
    [attempt] = hooked.attempts()
    assert (attempt["failure"], attempt["status"]) == ("not_public", None)
    assert not hooked.receiver.received


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


def test_invalid_networks_prevent_the_start(hooked: Hooked) -> None:
    settings = hooked.shop.container.settings
    check_needs(settings.replaced(webhook_networks="127.0.0.0/8,::1/128 10.0.0.0/8"))
    with pytest.raises(ConfigurationWrong, match="webhook_networks"):
        check_needs(settings.replaced(webhook_networks="127.0.0.1/8"))
