"""Stand-ins: small servers of our own in place of the servers of third parties.

They are banks that speak SNAP BI (`bank`), a mail server (`mail`), a relay of drand (`drand`), and optionally Midtrans
(`midtrans`), for development, tests and rehearsals, and a time-stamp, OCSP and revocation list server (`authority`) for
tests.  They import nothing of the platform, and the platform speaks to them by the same protocols as to the real servers.
Their state is in SQLite files in one directory and survives a restart; notifications that were not delivered are tried
again.

    running = await standins.start(standins.Options(...))
    ...
    await running.stop()
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from standins.bank import (
    Bank,
    Fees,
    Merchant,
    MerchantEndpoints,
    Partner,
    PublicKey,
    bank_key,
    profile_of,
)
from standins.drand import Chain, Relay, kept_chain
from standins.mail import MailServer
from standins.midtrans import Midtrans, MidtransOptions

__all__ = [
    "FIRST_BANK",
    "BankOptions",
    "Fees",
    "MidtransOptions",
    "Options",
    "Running",
    "bank_keys",
    "drand_chain",
    "start",
]

FIRST_BANK = "bank"
NO_FEES = Fees()
FLOAT_OPENING = 100_000_000  # rupiah that a new bank holds for transfers


@dataclass(frozen=True, slots=True)
class BankOptions:
    """Options of a further bank; members with the same name as in `Options` have the same meaning.

    `name` is a directory's.  `token_url`, `inquiry_url` and `payment_url` are the merchant's endpoints 73,
    24 and 25; one that is empty is not called.
    """

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    partner_public_key: bytes
    notify_url: str
    merchant_id: str = "METERAI"
    profile: str = "standard"
    port: int = 0
    token_url: str = ""
    inquiry_url: str = ""
    payment_url: str = ""
    fees: Fees = NO_FEES
    float_opening: int = FLOAT_OPENING


@dataclass(frozen=True, slots=True)
class Options:
    """Options of all stand-ins.

    `partner_public_key` (PEM) verifies the RSA signatures of the partner (the merchant);
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
    midtrans: MidtransOptions | None = None
    token_url: str = ""
    inquiry_url: str = ""
    payment_url: str = ""
    fees: Fees = NO_FEES
    float_opening: int = FLOAT_OPENING
    banks: Sequence[BankOptions] = ()  # beside the first, which the members above describe

    def all_banks(self) -> tuple[BankOptions, ...]:
        """Options of all banks, the first bank first."""
        first = BankOptions(
            FIRST_BANK,
            self.client_id,
            self.client_secret,
            self.partner_public_key,
            self.notify_url,
            self.merchant_id,
            port=self.bank_port,
            token_url=self.token_url,
            inquiry_url=self.inquiry_url,
            payment_url=self.payment_url,
            fees=self.fees,
            float_opening=self.float_opening,
        )
        return first, *self.banks


class Running:
    """The banks, the mail server and the relay, started, and their addresses."""

    midtrans_url = ""  # empty if Midtrans was not started

    def __init__(
        self,
        bank_urls: dict[str, str],
        addresses: tuple[str, int, str],
        exit_stack: AsyncExitStack,
    ) -> None:
        self.bank_urls = bank_urls
        self.bank_url = bank_urls[FIRST_BANK]
        self.mail_url, self.smtp_port, self.drand_url = addresses
        self._exit_stack = exit_stack

    async def stop(self) -> None:
        """Stop all of them; a second call does nothing."""
        await self._exit_stack.aclose()


def _bank_directory(directory: Path, name: str) -> Path:
    return directory if name == FIRST_BANK else directory / "banks" / name


def bank_keys(directory: Path, name: str = FIRST_BANK) -> bytes:
    """Return the public key (PEM) of a bank; the key pair is made on the first call.

    For a caller that must know the key before the bank is started.
    """
    return bank_key(_bank_directory(directory, name)).public_pem()


def drand_chain(directory: Path) -> Chain:
    """Return the chain of the relay; the first call makes it.

    For a caller that must know the chain before the relay is started.
    """
    return kept_chain(directory)


def _bank(directory: Path, options: BankOptions) -> Bank:
    endpoints = MerchantEndpoints(
        options.notify_url, options.token_url, options.inquiry_url, options.payment_url
    )
    key = PublicKey(options.partner_public_key)
    partner = Partner(options.client_id, options.client_secret, key, endpoints)
    merchant, profile = Merchant(options.merchant_id), profile_of(options.profile)
    own = _bank_directory(directory, options.name)
    own.mkdir(parents=True, exist_ok=True)
    name = "Stand-in bank" if options.name == FIRST_BANK else f"Stand-in bank {options.name}"
    return Bank(own, name, partner, merchant, profile, options.fees, options.float_opening)


async def start(options: Options) -> Running:
    """Start the banks, the mail server, the relay of drand and, if wanted, Midtrans. Raises `ValueError` for an unusable
    key, merchant id or profile, and if two banks have the same name.
    """
    banks = options.all_banks()
    if len({bank.name for bank in banks}) < len(banks):
        raise ValueError("two banks have one name")
    options.directory.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as exit_stack:
        urls = {}
        for one in banks:
            bank = _bank(options.directory, one)
            exit_stack.push_async_callback(bank.stop)
            urls[one.name] = await bank.serve(options.host, one.port)
        mail = MailServer(options.directory)
        exit_stack.push_async_callback(mail.stop)
        mail_url, smtp_port = await mail.serve(options.host, options.mail_port, options.smtp_port)
        relay = Relay(options.directory / "drand", kept_chain(options.directory))
        exit_stack.push_async_callback(relay.stop)
        drand_url = await relay.serve(options.host, options.drand_port)
        midtrans_url = ""
        if options.midtrans is not None:
            midtrans = Midtrans(options.directory, options.midtrans)
            exit_stack.push_async_callback(midtrans.stop)
            midtrans_url = await midtrans.serve(options.host, options.midtrans.port)
        running = Running(urls, (mail_url, smtp_port, drand_url), exit_stack.pop_all())
        running.midtrans_url = midtrans_url
        return running
