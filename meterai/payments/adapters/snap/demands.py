"""Conditions that the configuration of a bank with SNAP BI must meet in production, and the list of the key files for a bank."""

from collections.abc import Iterator, Mapping
from functools import partial

from meterai.commands import TIME, Demand, Facts, KeyFile, is_this_machine, split_url
from meterai.payments.adapters.snap.bank import (
    VIRTUAL_ACCOUNT,
    SnapBank,
    first_bank,
    public_key_file,
)
from meterai.plumbing.config import Configuration, Settings
from meterai.plumbing.keyring import new_rsa_key, public_pem, read_rsa_key


def _is_outside(address: str) -> bool:
    url = split_url(address)
    is_secure = url is not None and url.scheme == "https" and bool(url.hostname)
    return is_secure and not is_this_machine(str(url.hostname if url else ""))


def _bank_address(of: Configuration) -> Iterator[Facts]:
    if not _is_outside(of.value("bank_url")):
        yield {"found": of.value("bank_url") or "nothing"}


def _bank_identity(of: Configuration) -> Iterator[Facts]:
    wanted = ["bank_client_id", "bank_merchant_id", "bank_qr_accounts"]
    if VIRTUAL_ACCOUNT in of.value("bank_methods").split():
        wanted += ["bank_va_name", "bank_label"]
    for name in wanted:
        if of.sources[name] == "default" or not of.settings.flat()[name]:
            yield {"setting": name}


def _keys_there(of: Configuration) -> Iterator[Facts]:
    for one in keys(first_bank(of.settings), of.settings):
        # No code reads provider.pub.pem.
        if one.path.name != "provider.pub.pem" and not one.path.is_file():
            yield {"path": str(one.path)}


def _file_is_whole(bank: SnapBank, of: Configuration) -> Iterator[Facts]:
    """The missing parts of the configuration of a bank that a file describes: address, identity, key files."""
    if not _is_outside(bank.url):
        yield {"bank": bank.name, "what": "url"}
    wanted = {"client_id": bank.client_id, "merchant_id": bank.merchant_id}
    if VIRTUAL_ACCOUNT in bank.methods.split():
        wanted |= {"va_name": bank.va_name, "label": bank.label}
    for name in (name for name, value in wanted.items() if not value):
        yield {"bank": bank.name, "what": name}
    for one in keys(bank, of.settings):
        if not one.path.is_file() and one.path.name != bank.key_file("for_bank"):
            yield {"bank": bank.name, "what": str(one.path)}


def file_demands(bank: SnapBank) -> tuple[Demand, ...]:
    """Conditions that a bank described by a file must meet in production."""
    return (Demand("bank_of_file", (), partial(_file_is_whole, bank)),)


def keys(bank: SnapBank, settings: Settings) -> Iterator[KeyFile]:
    """The key files of a bank: our key pair, the bank's public key, and the client secret if no setting has it."""
    folder = settings.process.directory / "keys"
    own = folder / bank.key_file("signing")
    yield KeyFile(own, "provider", new_rsa_key)
    yield KeyFile(
        folder / bank.key_file("for_bank"),
        "provider_public",
        lambda: public_pem(read_rsa_key(own)),
        public=True,
    )
    yield KeyFile(public_key_file(bank, folder), "bank_public", public=True)
    if not bank.client_secret:
        yield KeyFile(folder / bank.key_file("secret"), "bank_secret")


DEMANDS: tuple[Demand, ...] = (
    Demand("bank_address", ("bank_url",), _bank_address),
    Demand(
        "bank_identity",
        (
            *("bank_client_id", "bank_merchant_id", "bank_qr_accounts"),
            *("bank_methods", "bank_va_name", "bank_label"),
        ),
        _bank_identity,
    ),
    Demand("keys_there", ("bank_public_key", "bank_client_secret"), _keys_there),
)
UNDEMANDED: Mapping[str, str] = {
    "bank_store_id": "set by the provider; answers for another store prove nothing",
    "bank_terminal_id": "set by the provider; answers for another terminal prove nothing",
    "bank_path": "set by the provider; with a wrong value it answers 404 and nothing is sold",
    "bank_signature": (
        "set by the provider; with a wrong value calls are refused and nothing is sold"
    ),
    "bank_code": "set by the bank; with a wrong value transfers are refused",
    "bank_source_account": (
        "without a value no transfer is made; with a wrong value each is refused"
    ),
    "bank_transfer_rupiah_max": "set by the bank; a transfer of more is refused, and waits",
    "bank_transfer_rupiah_day_max": "set by the bank; a transfer of more is refused, and waits",
    "bank_va_rupiah_max": (
        "set by the bank; an amount above its limit is refused and nothing is sold"
    ),
    "bank_va_seconds": TIME,
    "bank_va_service_id": (
        "without a matching value an installation with virtual accounts does not start"
    ),
    "bank_timeout_seconds": TIME,
    "bank_window_days": (
        "set by the provider; with a shorter window queries end earlier, and "
        "notifications still count"
    ),
}
