"""Stand-ins of the further banks of an installation for development."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

import standins
from meterai.apps.settings import settings_of
from meterai.installation.instance import free_port
from meterai.installation.standin_banks import standin_banks
from meterai.installation.standing_in import options_of
from meterai.installation.up import prepare_keys
from meterai.plumbing.config import Settings
from standins.bank.profile import profile_of


def installed(directory: Path, rails: str = "bank bri doku", **urls: str) -> Settings:
    """Return the settings of an installation with two banks in files."""
    (directory / "banks").mkdir()
    for name in ("bri", "doku"):
        url = urls.get(name) or f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"
        told = {
            "kind": "snap",
            "profile": name,
            "url": url,
            "client_id": "METERAI",
            "merchant_id": "METERAI",
        }
        lines = (f"{member} = {json.dumps(value)}\n" for member, value in told.items())
        (directory / "banks" / f"{name}.toml").write_text("".join(lines))
    return settings_of(data=str(directory), payment_rails=rails, port=1)


def test_each_bank_with_a_file_has_a_stand_in_with_its_address_and_key(tmp_path: Path) -> None:
    settings = installed(tmp_path)
    prepare_keys(settings)
    options = options_of(settings)
    assert [bank.profile for bank in options.banks] == ["bri", "doku"]
    assert options.inquiry_url == "http://127.0.0.1:1/snap/v1.0/transfer-va/inquiry"
    assert options.banks[0].payment_url == "http://127.0.0.1:1/snap/bri/v1.0/transfer-va/payment"

    async def ask() -> None:
        running = await standins.start(options)
        try:
            async with aiohttp.ClientSession() as http:
                for bank in standin_banks(settings):
                    assert running.bank_urls[bank.name] == bank.url
                    path = profile_of(bank.profile).paths["47"]
                    async with http.post(bank.url + path, json={}) as response:
                        assert (await response.json(content_type=None))["responseCode"] in (
                            "4004702",
                            4004702,
                        )
        finally:
            await running.stop()

    asyncio.run(ask())
    kept = tmp_path / "keys" / "bri-bank.pub.pem"
    assert kept.read_bytes() == standins.bank_keys(tmp_path / "standins", "bri")


@pytest.mark.parametrize(
    ("rails", "url", "found"),
    [
        ("bank", "", []),
        ("bank bri", "", ["bri"]),
        ("bri bank", "https://partner.api.bri.example", []),
    ],
)
def test_bank_outside_the_rails_or_elsewhere_has_no_stand_in(
    tmp_path: Path, rails: str, url: str, found: list[str]
) -> None:
    settings = installed(tmp_path, rails, bri=url)
    assert [bank.name for bank in standin_banks(settings)] == found
