"""The payment provider as it is configured."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.payments.adapters.wire import SnapProfile
from meterai.payments.settings import PaymentSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import KeyMissing, Keyring


def provider_public_key(settings: Settings, keyring: Keyring) -> rsa.RSAPublicKey:
    """With which the payment provider's signatures are checked.  Raises `KeyMissing`."""
    given = settings.of(PaymentSettings).bank_public_key
    path = Path(given) if given else keyring.directory / "bank.pub.pem"
    if not path.exists():
        raise KeyMissing(path)
    key = serialization.load_pem_public_key(path.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey), "SNAP BI signs with RSA"
    return key


def profile_of(settings: Settings, keyring: Keyring) -> SnapProfile:
    """The payment provider as configured.  Raises `KeyMissing`."""
    bank = settings.of(PaymentSettings)
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
    )
