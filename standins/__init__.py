"""Stand-ins: small servers of our own in place of the machines of others.

A bank that speaks SNAP BI and a receiver for mail, for development, tests and rehearsals.  They
know nothing of the platform and the platform does not know that they are not the real ones.
All they remember is in SQLite files in one directory, so a stop and a start change nothing, and
notifications that were not delivered are tried again.

    running = await standins.start(standins.Options(...))
    ...
    await running.stop()
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from standins.bank import Bank, Merchant, Partner, PublicKey, bank_key
from standins.mail import Post

__all__ = ["Options", "Running", "bank_keys", "start"]


@dataclass(frozen=True, slots=True)
class Options:
    """How the stand-ins are set up.

    `partner_public_key` is PEM and checks what the partner (the merchant) signs with RSA;
    `notify_url` is the whole URL that payment notifications go to.  A port of 0 is any free one.
    """

    directory: Path
    client_id: str
    client_secret: str = field(repr=False)
    partner_public_key: bytes
    notify_url: str
    merchant_id: str = "METERAI"  # at most 15 ASCII characters: in every QR
    host: str = "127.0.0.1"
    bank_port: int = 0
    mail_port: int = 0
    smtp_port: int = 0


class Running:
    """The stand-ins at work."""

    def __init__(self, addresses: tuple[str, str, int], ending: AsyncExitStack) -> None:
        self.bank_url, self.mail_url, self.smtp_port = addresses
        self._ending = ending

    async def stop(self) -> None:
        """End all of them; a second call does nothing."""
        await self._ending.aclose()


def bank_keys(directory: Path) -> bytes:
    """The bank's public key (PEM); the pair is made on the first call.

    For whoever must know the key before the bank is started.
    """
    return bank_key(directory).public_pem()


async def start(options: Options) -> Running:
    """Start bank and mail.  Raises `ValueError` for a key or merchant id that cannot be used."""
    partner = Partner(
        options.client_id, options.client_secret, PublicKey(options.partner_public_key)
    )
    merchant = Merchant(options.merchant_id)
    options.directory.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as ending:
        bank = Bank(options.directory, partner, merchant, options.notify_url)
        ending.push_async_callback(bank.stop)
        post = Post(options.directory)
        ending.push_async_callback(post.stop)
        bank_url = await bank.serve(options.host, options.bank_port)
        mail_url, smtp_port = await post.serve(options.host, options.mail_port, options.smtp_port)
        return Running((bank_url, mail_url, smtp_port), ending.pop_all())
