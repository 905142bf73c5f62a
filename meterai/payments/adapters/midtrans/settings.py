"""Settings of Midtrans, and what production requires of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from meterai.commands import TIME, Demand, Facts, KeyFile, is_this_machine, split_url
from meterai.plumbing.config import Configuration, Positive, Seconds, Settings
from meterai.plumbing.files import read_key_file
from meterai.plumbing.keyring import KeyMissing, Keyring, KeyUnusable

SERVER_KEY_FILE = "midtrans-server-key"  # contains the key as text, as Midtrans issued it
SERVER_KEY_CHARACTERS_MAX = 256


class MidtransSettings(msgspec.Struct, frozen=True):
    """Settings of the Midtrans Core API; times in seconds.  The server key is in DIR/keys."""

    midtrans_url: str = ""  # https://api.midtrans.com
    midtrans_merchant_id: str = "G000000001"
    midtrans_acquirer: Literal["gopay", "airpay shopee"] = "gopay"  # acquirer of QRIS payments
    midtrans_va_bank: Literal["bca", "bni", "bri", "permata", "cimb"] = "bni"
    # Our other names in a QR, separated by spaces: current and former PANs and NMIDs of the merchant.
    # The default is for the stand-in.
    midtrans_qr_accounts: str = "936009990000000001 ID1099999999999"
    midtrans_timeout_seconds: Seconds = 5
    midtrans_window_days: Positive = (
        45  # days in which a payment is queried: an on-us QRIS payment can be refunded for so long
    )


def server_key(keyring: Keyring) -> str:
    """The server key, for our calls and for the signatures of notifications.  Refuses `KeyMissing`, `KeyUnusable`."""
    path = keyring.directory / SERVER_KEY_FILE
    if not path.is_file():
        raise KeyMissing(path)
    try:
        text = read_key_file(path).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise KeyUnusable(path, "not readable as text") from None
    if not (text.isprintable() and " " not in text and 0 < len(text) <= SERVER_KEY_CHARACTERS_MAX):
        raise KeyUnusable(path, "not a single word of printable characters")
    return text


def _key_file(settings: Settings) -> Path:
    return settings.process.directory / "keys" / SERVER_KEY_FILE


def keys(settings: Settings) -> Iterator[KeyFile]:
    """The key files of this rail: the server key that Midtrans issued."""
    yield KeyFile(_key_file(settings), "midtrans_server_key")


def _address(of: Configuration) -> Iterator[Facts]:
    url = split_url(of.value("midtrans_url"))
    if url is None or url.scheme != "https" or not url.hostname or is_this_machine(url.hostname):
        yield {"found": of.value("midtrans_url") or "nothing"}


def _identity(of: Configuration) -> Iterator[Facts]:
    for name in ("midtrans_merchant_id", "midtrans_qr_accounts"):
        if of.sources[name] == "default" or not of.settings.flat()[name]:
            yield {"setting": name}


def _key_there(of: Configuration) -> Iterator[Facts]:
    if not _key_file(of.settings).is_file():
        yield {"path": str(_key_file(of.settings))}


DEMANDS: tuple[Demand, ...] = (
    Demand("midtrans_address", ("midtrans_url",), _address),
    Demand("midtrans_identity", ("midtrans_merchant_id", "midtrans_qr_accounts"), _identity),
    Demand("midtrans_key_there", (), _key_there),
)
UNDEMANDED: Mapping[str, str] = {
    "midtrans_acquirer": (
        "one of two values; with a wrong one charges are refused and nothing is sold"
    ),
    "midtrans_va_bank": (
        "one of five values; with a wrong one charges are refused and nothing is sold"
    ),
    "midtrans_timeout_seconds": TIME,
    "midtrans_window_days": (
        "with a shorter window queries end earlier, and a notification still causes one"
    ),
}
