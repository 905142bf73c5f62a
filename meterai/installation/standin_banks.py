"""Finds the banks that get a separate stand-in, in addition to the usual stand-in bank: banks with a settings file in `FOLDER`
whose address is on this machine.
"""

from urllib.parse import urlsplit

from meterai.commands import is_this_machine
from meterai.payments import PaymentSettings, snap
from meterai.plumbing.config import Settings
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.toml import read_toml

FOLDER = "banks"  # folder in the data directory
KIND = "snap"  # value of `kind` in a bank's file


def standin_banks(settings: Settings) -> list[snap.SnapBank]:
    """Return the banks among the rails that have an additional stand-in, in the order of the rails. Refuses
    `ConfigurationWrong`; raises `OSError` and `ValueError` for an unreadable file.
    """
    found = []
    for name in settings.of(PaymentSettings).payment_rails.split():
        path = settings.process.directory / FOLDER / f"{name}.toml"
        told = read_toml(read_settings_file(path)) if path.is_file() else {}
        if told.pop("kind", "") == KIND:
            bank = snap.bank_of_file(name, told, str(path))
            if port_of(bank):
                found.append(bank)
    return found


def port_of(bank: snap.SnapBank) -> int:
    """Return the port of a bank's stand-in; 0 if the bank is not on this machine."""
    url = urlsplit(bank.url)
    return (url.port or 0) if is_this_machine(url.hostname or "") else 0
