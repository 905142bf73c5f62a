"""Stand-ins: small servers of our own in place of the servers of third parties.

A bank that speaks SNAP BI (`bank`), a mail server (`mail`) and a relay of drand (`drand`), for
development, tests and rehearsals, and a time-stamp, OCSP and revocation list server (`authority`) for tests.  They import
nothing of the platform, and it speaks to them by the same protocols as to the real servers.  Their
state is in SQLite files in one directory and survives a restart; notifications that were not
delivered are tried again.

    running = await standins.start(standins.Options(...))
    ...
    await running.stop()
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from standins.bank import Bank, Merchant, Partner, PublicKey, bank_key
from standins.drand import Chain, Relay, kept_chain
from standins.mail import MailServer

__all__ = ["Options", "Running", "bank_keys", "drand_chain", "start"]


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
    drand_port: int = 0


class Running:
    """The bank, the mail server and the relay, started, and their addresses."""

    def __init__(self, addresses: tuple[str, str, int, str], exit_stack: AsyncExitStack) -> None:
        self.bank_url, self.mail_url, self.smtp_port, self.drand_url = addresses
        self._exit_stack = exit_stack

    async def stop(self) -> None:
        """Stop all of them; a second call does nothing."""
        await self._exit_stack.aclose()


def bank_keys(directory: Path) -> bytes:
    """The bank's public key (PEM); the pair is made on the first call.

    For a caller that must know the key before the bank is started.
    """
    return bank_key(directory).public_pem()


def drand_chain(directory: Path) -> Chain:
    """The chain of the relay; it begins with the first call.

    For a caller that must know it before the relay is started.
    """
    return kept_chain(directory)


async def start(options: Options) -> Running:
    """Start bank, mail and the relay of drand.  Raises `ValueError` for a key or merchant id that cannot be used."""
    partner = Partner(
        options.client_id, options.client_secret, PublicKey(options.partner_public_key)
    )
    merchant = Merchant(options.merchant_id)
    options.directory.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as exit_stack:
        bank = Bank(options.directory, partner, merchant, options.notify_url)
        exit_stack.push_async_callback(bank.stop)
        mail = MailServer(options.directory)
        exit_stack.push_async_callback(mail.stop)
        bank_url = await bank.serve(options.host, options.bank_port)
        mail_url, smtp_port = await mail.serve(options.host, options.mail_port, options.smtp_port)
        relay = Relay(options.directory / "drand", kept_chain(options.directory))
        exit_stack.push_async_callback(relay.stop)
        drand_url = await relay.serve(options.host, options.drand_port)
        addresses = (bank_url, mail_url, smtp_port, drand_url)
        return Running(addresses, exit_stack.pop_all())
