"""The payment provider as it is configured."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.payments.adapters.snap.wire import SnapProfile
from meterai.payments.model import About
from meterai.plumbing.config import Settings
from meterai.plumbing.keyring import Keyring, read_public_key

CLIENT_SECRET_FILE = "bank-client-secret"  # noqa: S105 - a name under DIR/keys
SIGNING_KEY_FILE = "provider.key.pem"


def provider_public_key(settings: Settings, keyring: Keyring) -> rsa.RSAPublicKey:
    """With which the payment provider's signatures are checked.

    Refuses `KeyMissing`, `KeyUnusable`.
    """
    return read_public_key(public_key_file(settings, keyring.directory))


def public_key_file(settings: Settings, folder: Path) -> Path:
    """The path of the payment provider's public key, in the folder of keys or elsewhere."""
    given = settings.of(SnapSettings).bank_public_key
    return Path(given) if given else folder / "bank.pub.pem"


def client_secret(settings: Settings, keyring: Keyring) -> str:
    """Our secret at the provider (symmetric signatures): the one that is set, else that of a file."""
    given = settings.of(SnapSettings).bank_client_secret
    return given or keyring.secret(CLIENT_SECRET_FILE).hex()


def signing_key(keyring: Keyring) -> rsa.RSAPrivateKey:
    """Our private key at the provider (access token, asymmetric signatures)."""
    return keyring.rsa_key(SIGNING_KEY_FILE)


def qr_accounts_of(bank: SnapSettings) -> frozenset[str]:
    """What may stand for a merchant in a QR of ours: ids and PANs."""
    return frozenset({bank.bank_merchant_id, *bank.bank_qr_accounts.split()})


def ourselves_of(bank: SnapSettings) -> About:
    """Our identity in messages of the provider."""
    return About(
        merchant=bank.bank_merchant_id,
        store=bank.bank_store_id or None,
        terminal=bank.bank_terminal_id or None,
        aliases=qr_accounts_of(bank),
    )


def profile_of(settings: Settings, keyring: Keyring) -> SnapProfile:
    """The payment provider as configured.  Raises `KeyMissing`."""
    bank = settings.of(SnapSettings)
    return SnapProfile(
        base_url=bank.bank_url.rstrip("/"),
        path=bank.bank_path,
        client_id=bank.bank_client_id,
        client_secret=client_secret(settings, keyring),
        private_key=signing_key(keyring),
        provider_public_key=provider_public_key(settings, keyring),
        signature=bank.bank_signature,
        timeout_seconds=bank.bank_timeout_seconds,
        qr_accounts=qr_accounts_of(bank),
        ourselves=ourselves_of(bank),
    )
