"""What the services need beside the database, checked before they are built.

Imports no room that counts anything: whoever starts web processes shares the metrics later.
"""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.apps.issuer import issuers_of
from meterai.kit.clock import SystemClock
from meterai.payments import PaymentSettings
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import KeyMissing, Keyring, keyring_of


def provider_public_key(settings: Settings, keyring: Keyring) -> rsa.RSAPublicKey:
    """With which the payment provider's signatures are checked.  Raises `KeyMissing`."""
    given = settings.of(PaymentSettings).bank_public_key
    path = Path(given) if given else keyring.directory / "bank.pub.pem"
    if not path.exists():
        raise KeyMissing(path)
    key = serialization.load_pem_public_key(path.read_bytes())
    assert isinstance(key, rsa.RSAPublicKey), "SNAP BI signs with RSA"
    return key


def check_parts(settings: Settings) -> None:
    """Every key is there and can be read.  Raises `KeyMissing`; refuses as sealing refuses."""
    keyring = keyring_of(settings)
    issuers_of(settings, SystemClock())
    keyring.provider_key()
    if not settings.of(PaymentSettings).bank_client_secret:
        keyring.client_secret()
    provider_public_key(settings, keyring)
