"""Every service of a process, built once from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from meterai.accounts import AccountService
from meterai.apps.issuer import issuers_of
from meterai.apps.leases import check_leases
from meterai.apps.parts import provider_public_key
from meterai.documents import DocumentService, DocumentSettings
from meterai.kit.clock import Clock, SystemClock
from meterai.notifications import MailService, NotificationSettings
from meterai.orders import OrderService, OrderSettings
from meterai.payments import PaymentService, PaymentSettings, SnapProfile, SnapProvider
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database
from meterai.plumbing.keyring import Keyring, keyring_of
from meterai.plumbing.link import LOCK_WAIT_MS_MAX
from meterai.plumbing.mail import Mailer
from meterai.plumbing.objects import ObjectStore
from meterai.refunds import RefundService
from meterai.sealing import Keyring as IssuerKeyring
from meterai.stamping import StampingService, StampingSettings
from meterai.stamps import SerialService
from meterai.suspense import SuspenseService
from meterai.verification import VerificationService


@dataclass(frozen=True, slots=True)
class Container:
    """Every service of one process."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    issuers: IssuerKeyring
    accounts: AccountService
    payments: PaymentService
    orders: OrderService
    documents: DocumentService
    stamping: StampingService
    refunds: RefundService
    mails: MailService
    suspense: SuspenseService
    verification: VerificationService

    def services(self) -> dict[type, object]:
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
        return {type(service): service for service in found}


def profile_of(settings: Settings, keyring: Keyring) -> SnapProfile:
    """The payment provider as configured."""
    return SnapProfile(
        base_url=settings.of(PaymentSettings).bank_url.rstrip("/"),
        path=settings.of(PaymentSettings).bank_path,
        client_id=settings.of(PaymentSettings).bank_client_id,
        client_secret=settings.of(PaymentSettings).bank_client_secret or keyring.client_secret(),
        merchant_id=settings.of(PaymentSettings).bank_merchant_id,
        private_key=keyring.provider_key(),
        provider_public_key=provider_public_key(settings, keyring),
        signature=settings.of(PaymentSettings).bank_signature,
        timeout_seconds=settings.of(PaymentSettings).bank_timeout_seconds,
    )


@asynccontextmanager
async def build_services(
    settings: Settings, *, lock_wait_ms: int = LOCK_WAIT_MS_MAX
) -> AsyncIterator[Container]:
    """Build every service, open database and provider, and close them at the end."""
    clock = SystemClock()
    keyring = keyring_of(settings)
    issuers = issuers_of(settings, clock)
    proofs = issuers.current.proofs
    check_leases(settings, 0.0 if proofs is None else proofs.seconds_max)
    database = Database(
        settings.process.database_url,
        connections=settings.process.database_connections,
        lock_wait_ms=lock_wait_ms,
    )
    provider = SnapProvider(profile_of(settings, keyring), clock)
    objects = ObjectStore(settings.process.directory, keyring.derived("objects"))
    accounts = AccountService(database, keyring.derived("sign-in"), settings, clock)
    payments = PaymentService(database, provider, settings.of(PaymentSettings), clock)
    orders = OrderService(database, payments, settings, clock)
    sale = settings.of(OrderSettings)
    documents = DocumentService(
        database,
        objects,
        settings.of(DocumentSettings),
        clock,
        waits_seconds_max=sale.order_lapses_seconds + sale.documents_due_seconds,
    )
    services = (documents, orders, SerialService(database))
    mailer = Mailer(
        settings.of(NotificationSettings).smtp_host,
        settings.of(NotificationSettings).smtp_port,
        settings.of(NotificationSettings).mail_from,
        settings.of(NotificationSettings).smtp_user,
        settings.of(NotificationSettings).smtp_password,
        settings.of(NotificationSettings).smtp_tls,
    )
    container = Container(
        settings,
        clock,
        database,
        keyring,
        issuers,
        accounts,
        payments,
        orders,
        documents,
        StampingService(database, services, issuers, settings, clock),
        RefundService(database, provider, settings, clock),
        MailService(database, mailer, accounts, settings.process.url),
        SuspenseService(database),
        VerificationService(database, issuers, settings.of(StampingSettings).seals_at_once, clock),
    )
    await database.open()
    await provider.open()
    try:
        yield container
    finally:
        await provider.close()
        await database.close()
