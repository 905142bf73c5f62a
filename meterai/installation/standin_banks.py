"""The banks of an installation for which stand-ins are started beside the first: those with a file and an
address of this machine."""

from urllib.parse import urlsplit

from meterai.commands import is_this_machine
from meterai.payments import PaymentSettings, snap
from meterai.plumbing.config import Settings
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.toml import read_toml

FOLDER = "banks"  # in the data directory
KIND = "snap"  # in the file of a bank


def standin_banks(settings: Settings) -> list[snap.SnapBank]:
    """Banks among the rails, in their order.  Refuses `ConfigurationWrong`; raises `OSError` and
    `ValueError` for a file that cannot be read."""
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
    """The port of its stand-in; 0 where the bank is elsewhere."""
    url = urlsplit(bank.url)
    return (url.port or 0) if is_this_machine(url.hostname or "") else 0
