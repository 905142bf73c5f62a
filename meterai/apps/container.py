"""The house: every desk, built once per process from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from meterai.accounts import AccountDesk
from meterai.apps.issuer import issuers_of
from meterai.apps.leases import check_leases
from meterai.apps.parts import provider_public_key
from meterai.documents import DocumentDesk
from meterai.kit.clock import Clock, SystemClock
from meterai.notifications import MailDesk
from meterai.orders import OrderDesk
from meterai.payments import PaymentDesk, SnapProfile, SnapProvider
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.plumbing.keyring import Keyring, keyring_of
from meterai.plumbing.link import LOCK_WAIT_MS_MAX
from meterai.plumbing.mail import Postman
from meterai.plumbing.objects import ObjectStore
from meterai.refunds import RefundDesk
from meterai.sealing import Keyring as IssuerKeyring
from meterai.stamping import StampingDesk
from meterai.stamps import SerialDesk
from meterai.suspense import SuspenseDesk
from meterai.verification import VerificationDesk


@dataclass(frozen=True, slots=True)
class House:
    """Every desk of one process."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    issuers: IssuerKeyring
    accounts: AccountDesk
    payments: PaymentDesk
    orders: OrderDesk
    documents: DocumentDesk
    stamping: StampingDesk
    refunds: RefundDesk
    mails: MailDesk
    suspense: SuspenseDesk
    verification: VerificationDesk

    def desks(self) -> dict[type, object]:
        """By their type, as routes ask for them."""
        found = (
            self.settings,
            self.database,
            self.accounts,
            self.payments,
            self.orders,
            self.documents,
            self.stamping,
            self.refunds,
            self.verification,
        )
        return {type(desk): desk for desk in found}


def profile_of(settings: Settings, keyring: Keyring) -> SnapProfile:
    """The payment provider as configured."""
    return SnapProfile(
        base_url=settings.bank_url.rstrip("/"),
        path=settings.bank_path,
        client_id=settings.bank_client_id,
        client_secret=settings.bank_client_secret or keyring.client_secret(),
        merchant_id=settings.bank_merchant_id,
        private_key=keyring.provider_key(),
        provider_public_key=provider_public_key(settings, keyring),
        signature=settings.bank_signature,
        timeout_seconds=settings.bank_timeout_seconds,
    )


@asynccontextmanager
async def open_house(
    settings: Settings, *, lock_wait_ms: int = LOCK_WAIT_MS_MAX
) -> AsyncIterator[House]:
    """Build every desk, open database and provider, and close them at the end."""
    clock = SystemClock()
    keyring = keyring_of(settings)
    issuers = issuers_of(settings, clock)
    proofs = issuers.current.proofs
    check_leases(settings, 0.0 if proofs is None else proofs.seconds_max)
    database = Database(
        settings.database_url,
        connections=settings.database_connections,
        lock_wait_ms=lock_wait_ms,
    )
    provider = SnapProvider(profile_of(settings, keyring), clock)
    objects = ObjectStore(settings.directory, keyring.derived("objects"))
    accounts = AccountDesk(database, keyring.derived("sign-in"), settings, clock)
    payments = PaymentDesk(database, provider, settings, clock)
    orders = OrderDesk(database, payments, settings, clock)
    documents = DocumentDesk(database, objects, settings, clock)
    desks = (documents, orders, SerialDesk(database))
    postman = Postman(
        settings.smtp_host,
        settings.smtp_port,
        settings.mail_from,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_tls,
    )
    house = House(
        settings,
        clock,
        database,
        keyring,
        issuers,
        accounts,
        payments,
        orders,
        documents,
        StampingDesk(database, desks, issuers, settings, clock),
        RefundDesk(database, provider, settings, clock),
        MailDesk(database, postman, accounts, settings),
        SuspenseDesk(database),
        VerificationDesk(database, issuers, settings, clock),
    )
    await database.open()
    await provider.open()
    try:
        yield house
    finally:
        await provider.close()
        await database.close()
