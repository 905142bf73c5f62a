"""The payment provider as it is configured."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.payments.adapters.snap.wire import SnapProfile
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring, read_public_key


def provider_public_key(settings: Settings, keyring: Keyring) -> rsa.RSAPublicKey:
    """With which the payment provider's signatures are checked.

    Refuses `KeyMissing`, `KeyUnusable`.
    """
    given = settings.of(SnapSettings).bank_public_key
    return read_public_key(Path(given) if given else keyring.directory / "bank.pub.pem")


def qr_accounts_of(bank: SnapSettings) -> frozenset[str]:
    """What may stand for a merchant in a QR of ours: ids and PANs."""
    return frozenset({bank.bank_merchant_id, *bank.bank_qr_accounts.split()})


def profile_of(settings: Settings, keyring: Keyring) -> SnapProfile:
    """The payment provider as configured.  Raises `KeyMissing`."""
    bank = settings.of(SnapSettings)
    return SnapProfile(
        base_url=bank.bank_url.rstrip("/"),
        path=bank.bank_path,
        client_id=bank.bank_client_id,
        client_secret=bank.bank_client_secret or keyring.client_secret(),
        merchant_id=bank.bank_merchant_id,
        private_key=keyring.provider_key(),
        provider_public_key=provider_public_key(settings, keyring),
        signature=bank.bank_signature,
        timeout_seconds=bank.bank_timeout_seconds,
        qr_accounts=qr_accounts_of(bank),
    )
