"""The stand-ins for bank, mail and drand, set up from the same settings as the rest."""

import asyncio
import signal

import standins
from meterai.apps.instance import standins_directory
from meterai.apps.settings import StandinSettings
from meterai.notifications import NotificationSettings
from meterai.payments import NOTIFY_PATH, SnapSettings, client_secret, signing_key
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import keyring_of, public_pem


async def run(settings: Settings) -> None:
    """Run the stand-ins until SIGTERM or SIGINT."""
    keyring = keyring_of(settings)
    running = await standins.start(
        standins.Options(
            directory=standins_directory(settings),
            client_id=settings.of(SnapSettings).bank_client_id,
            client_secret=client_secret(settings, keyring),
            partner_public_key=public_pem(signing_key(keyring)),
            notify_url=f"http://{settings.process.host}:{settings.process.port}{NOTIFY_PATH}",
            merchant_id=settings.of(SnapSettings).bank_merchant_id,
            host=settings.process.host,
            bank_port=settings.of(StandinSettings).bank_port,
            mail_port=settings.of(StandinSettings).mail_port,
            smtp_port=settings.of(NotificationSettings).smtp_port,
            drand_port=settings.of(StandinSettings).drand_port,
        )
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await running.stop()
