"""What production demands of a provider that speaks SNAP BI."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from meterai.commands import TIME, Demand, Facts, is_this_machine, split_url
from meterai.plumbing.config import Configuration


def _bank_address(of: Configuration) -> Iterator[Facts]:
    url = split_url(of.value("bank_url"))
    if url is None or url.scheme != "https" or not url.hostname or is_this_machine(url.hostname):
        yield {"found": of.value("bank_url") or "nothing"}


def _bank_identity(of: Configuration) -> Iterator[Facts]:
    for name in ("bank_client_id", "bank_merchant_id", "bank_qr_accounts"):
        if of.sources[name] == "default" or not of.settings.flat()[name]:
            yield {"setting": name}


def _keys_there(of: Configuration) -> Iterator[Facts]:
    keys = of.settings.process.directory / "keys"
    needed = [keys / "provider.key.pem", Path(of.value("bank_public_key") or keys / "bank.pub.pem")]
    if not of.value("bank_client_secret"):
        needed.append(keys / "bank-client-secret")
    for path in needed:
        if not path.is_file():
            yield {"path": str(path)}


DEMANDS: tuple[Demand, ...] = (
    Demand("bank_address", ("bank_url",), _bank_address),
    Demand(
        "bank_identity", ("bank_client_id", "bank_merchant_id", "bank_qr_accounts"), _bank_identity
    ),
    Demand("keys_there", ("bank_public_key", "bank_client_secret"), _keys_there),
)
UNDEMANDED: Mapping[str, str] = {
    "bank_store_id": "the provider's; answers of another store are evidence of nothing",
    "bank_terminal_id": "the provider's; answers of another terminal are evidence of nothing",
    "bank_path": "the provider's; a wrong one is answered 404 and nothing is sold",
    "bank_signature": "the provider's; a wrong one is refused and nothing is sold",
    "bank_timeout_seconds": TIME,
    "bank_window_days": "the provider's; a shorter one is asked less long, and news still counts",
}
