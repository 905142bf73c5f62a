"""Configuration of banks: settings describe the first bank, a file `DIR/banks/<name>.toml` each further bank.

Keys are in DIR/keys.  Names of key files of a further bank begin with the name of the bank; those of the first bank do not, as
in earlier versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.kit.numbers import counted
from meterai.payments.adapters.snap.profile import Profile, profile_named
from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.payments.model import PaymentIdentity, PaymentMethod
from meterai.plumbing.config import ConfigurationWrong, Positive, Seconds, Settings
from meterai.plumbing.keyring import Keyring, read_public_key

FIRST = "bank"  # name of the first bank; rows contain it, so it never changes
QRIS, VIRTUAL_ACCOUNT = "qris", "va"  # names of methods; rows contain them, so they never change
QRIS_RUPIAH_MAX = 10_000_000  # of one transaction (PADG 24/1/PADG/2022)
SERVICE_ID_CHARACTERS = 8  # SNAP BI: partnerServiceId, with spaces before it


class SnapBank(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Configuration of one bank; `SnapSettings` explains the fields."""

    name: str
    url: str
    client_id: str
    merchant_id: str
    client_secret: str = ""
    public_key: str = ""
    profile: str = "standard"
    path: str = ""  # replaces the base of the profile, if not empty
    qr_accounts: str = ""
    store_id: str = ""
    terminal_id: str = ""
    signature: Literal["", "symmetric", "asymmetric"] = ""  # empty: as in the profile
    timeout_seconds: Seconds = 5
    window_days: Positive = 45
    methods: str = QRIS
    label: str = "Bank"
    code: str = ""
    va_service_id: str = ""
    va_name: str = "METERAI"
    va_seconds: Seconds = 86_400
    va_rupiah_max: Positive = 50_000_000
    source_account: str = ""
    transfer_rupiah_max: Positive = 250_000_000
    transfer_rupiah_day_max: Positive = 100_000_000_000

    @property
    def prefix(self) -> str:
        """The prefix that we put before this bank's payment numbers; empty for the first bank."""
        return "" if self.name == FIRST else f"{self.name}:"

    @property
    def spoken(self) -> Profile:
        """The profile of this bank.  Raises `ValueError` if there is no profile of that name."""
        return profile_named(self.profile)

    @property
    def qr_names(self) -> frozenset[str]:
        """Ids and PANs of our merchant that may be in a QR."""
        return frozenset({self.merchant_id, *self.qr_accounts.split()})

    @property
    def ourselves(self) -> PaymentIdentity:
        """Our identity in messages of the bank: merchant, store, terminal."""
        return PaymentIdentity(
            merchant=self.merchant_id,
            store=self.store_id or None,
            terminal=self.terminal_id or None,
            aliases=self.qr_names,
        )

    @property
    def offered(self) -> tuple[PaymentMethod, ...]:
        """Methods that this bank offers."""
        return tuple(known_methods(self)[name] for name in self.methods.split())

    def key_file(self, what: str) -> str:
        """The name of a key file of this bank; `what` is a key of `FILES`."""
        return FILES[what] if self.name == FIRST else f"{self.name}-{FILES[what]}"


CLIENT_SECRET_FILE = "bank-client-secret"  # noqa: S105 - a name under DIR/keys
SIGNING_KEY_FILE = "provider.key.pem"
# Key files of the first bank; for a further bank its name is put before them.  provider.pub.pem is to be given to the
# bank; no code reads it.
FILES = {
    "secret": CLIENT_SECRET_FILE,
    "signing": SIGNING_KEY_FILE,
    "for_bank": "provider.pub.pem",
    "bank": "bank.pub.pem",
}


def known_methods(bank: SnapBank) -> dict[str, PaymentMethod]:
    """All methods that a bank with SNAP BI can offer, by name, with the limits of this bank."""
    account = PaymentMethod(
        VIRTUAL_ACCOUNT, amount_max=bank.va_rupiah_max, lapses_seconds=bank.va_seconds
    )
    return {QRIS: PaymentMethod(QRIS, amount_max=QRIS_RUPIAH_MAX), VIRTUAL_ACCOUNT: account}


def first_bank(settings: Settings) -> SnapBank:
    """The first bank, from the settings.  Refuses `ConfigurationWrong`."""
    told = msgspec.structs.asdict(settings.of(SnapSettings))
    values = {name.removeprefix("bank_"): value for name, value in told.items()}
    return _checked(values | {"name": FIRST}, "settings")


def bank_of_file(name: str, told: Mapping[str, object], source: str) -> SnapBank:
    """The configuration of the bank `name`, from the content of its file (`told`); `source` is the path of the file, for
    refusals.

    Refuses `ConfigurationWrong`.
    """
    if "client_secret" in told:
        raise ConfigurationWrong(
            "client_secret", source, f"the setting belongs into keys/{name}-{FILES['secret']}"
        )
    return _checked({**told, "name": name}, source)


def _checked(values: Mapping[str, object], source: str) -> SnapBank:
    try:
        bank = msgspec.convert(values, SnapBank)
        profile = bank.spoken
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigurationWrong(str(values["name"]), source, str(error)) from None
    wanted = bank.methods.split()
    if unknown := [name for name in wanted if name not in known_methods(bank)]:
        raise ConfigurationWrong("methods", source, f"no method {unknown[0]!r}")
    service_id = bank.va_service_id
    is_id = counted(service_id, SERVICE_ID_CHARACTERS) is not None
    if VIRTUAL_ACCOUNT in wanted and not is_id:
        raise ConfigurationWrong(
            "va_service_id", source, "the value is given by the bank: at most 8 digits"
        )
    if bank.source_account and not {"16", "18", "36"} <= set(profile.paths):
        raise ConfigurationWrong(
            "source_account", source, f"banks with the profile {bank.profile} make no transfers"
        )
    return bank


@dataclass(frozen=True, slots=True)
class Access:
    """A bank with the keys that sign our calls, and those that check the bank's calls to us."""

    bank: SnapBank
    profile: Profile
    client_secret: str
    private_key: rsa.RSAPrivateKey
    bank_key: rsa.RSAPublicKey
    token_key: bytes = b""  # signs tokens for calls to us

    @property
    def signature(self) -> str:
        """Kind of our signatures for this bank: symmetric or asymmetric."""
        return self.bank.signature or self.profile.signature


def access_to(bank: SnapBank, keyring: Keyring) -> Access:
    """Read the keys of a bank.  Refuses `KeyMissing`, `KeyUnusable`."""
    return Access(
        bank=bank,
        profile=bank.spoken,
        client_secret=secret_of(bank, keyring),
        private_key=keyring.rsa_key(bank.key_file("signing")),
        bank_key=read_public_key(public_key_file(bank, keyring.directory)),
        token_key=keyring.derived(f"snap access token {bank.name}"),
    )


def public_key_file(bank: SnapBank, folder: Path) -> Path:
    """The path of the bank's public key: as configured, else in the folder of keys."""
    return Path(bank.public_key) if bank.public_key else folder / bank.key_file("bank")


def secret_of(bank: SnapBank, keyring: Keyring) -> str:
    """Our client secret at the bank: the setting if there is one, else the content of the key file.

    If the file contains text, the secret is that text; if it contains random bytes, the secret is their hexadecimal form.
    """
    if bank.client_secret:
        return bank.client_secret
    kept = keyring.secret(bank.key_file("secret"))
    try:
        text = kept.decode("ascii").strip()
    except UnicodeDecodeError:
        return kept.hex()
    return text if text.isprintable() else kept.hex()


def client_secret(settings: Settings, keyring: Keyring) -> str:
    """Our client secret at the first bank, for symmetric signatures."""
    return secret_of(first_bank(settings), keyring)


def signing_key(keyring: Keyring) -> rsa.RSAPrivateKey:
    """Our private key for the first bank: it signs requests of access tokens, and calls with asymmetric signatures."""
    return keyring.rsa_key(SIGNING_KEY_FILE)
