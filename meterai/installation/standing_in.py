"""Stand-ins for banks, mail, drand and Midtrans, built from the settings of the installation."""

import asyncio
import signal
from typing import Any

import standins
from meterai.installation.instance import standins_directory
from meterai.installation.settings import StandinSettings
from meterai.installation.standin_banks import port_of, standin_banks
from meterai.notifications import NotificationSettings
from meterai.payments import (
    ProviderCallKind,
    SnapSettings,
    client_secret,
    midtrans,
    signing_key,
    snap,
)
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring, keyring_of, public_pem


def _endpoints(settings: Settings, bank: str) -> dict[str, Any]:
    ours = f"http://{settings.process.host}:{settings.process.port}"
    kinds = {
        "notify_url": ProviderCallKind.NOTIFICATION,
        "token_url": ProviderCallKind.TOKEN,
        "inquiry_url": ProviderCallKind.INQUIRY,
        "payment_url": ProviderCallKind.PAYMENT,
    }
    return {name: ours + snap.endpoint_path(bank, kind) for name, kind in kinds.items()}


def _bank(settings: Settings, keyring: Keyring, bank: snap.SnapBank) -> standins.BankOptions:
    return standins.BankOptions(
        bank.name,
        bank.client_id,
        snap.secret_of(bank, keyring),
        public_pem(keyring.rsa_key(bank.key_file("signing"))),
        merchant_id=bank.merchant_id,
        profile=bank.profile,
        port=port_of(bank),
        **_endpoints(settings, bank.name),
    )


def options_of(settings: Settings) -> standins.Options:
    """Return the options of all stand-ins of the installation."""
    keyring = keyring_of(settings)
    return standins.Options(
        directory=standins_directory(settings),
        client_id=settings.of(SnapSettings).bank_client_id,
        client_secret=client_secret(settings, keyring),
        partner_public_key=public_pem(signing_key(keyring)),
        merchant_id=settings.of(SnapSettings).bank_merchant_id,
        host=settings.process.host,
        bank_port=settings.of(StandinSettings).bank_port,
        mail_port=settings.of(StandinSettings).mail_port,
        smtp_port=settings.of(NotificationSettings).smtp_port,
        drand_port=settings.of(StandinSettings).drand_port,
        midtrans=_midtrans(settings, keyring),
        banks=[_bank(settings, keyring, bank) for bank in standin_banks(settings)],
        **_endpoints(settings, standins.FIRST_BANK),
    )


async def run(settings: Settings) -> None:
    """Run the stand-ins until SIGTERM or SIGINT."""
    running = await standins.start(options_of(settings))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await running.stop()


def _midtrans(settings: Settings, keyring: Keyring) -> standins.MidtransOptions | None:
    """Return the options of the stand-in for Midtrans; None if Midtrans is no rail of the installation."""
    if not midtrans.is_configured(settings):
        return None
    host, port = settings.process.host, settings.process.port
    return standins.MidtransOptions(
        midtrans.server_key(keyring),
        f"http://{host}:{port}{midtrans.NOTIFY_PATH}",
        settings.of(midtrans.MidtransSettings).midtrans_merchant_id,
        settings.of(StandinSettings).midtrans_port,
    )
