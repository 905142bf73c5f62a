"""Demands of production on a provider that speaks SNAP BI, and the keys it needs."""

from collections.abc import Iterator, Mapping

from meterai.commands import TIME, Demand, Facts, KeyFile, is_this_machine, split_url
from meterai.payments.adapters.snap.profile import (
    CLIENT_SECRET_FILE,
    SIGNING_KEY_FILE,
    public_key_file,
)
from meterai.payments.adapters.snap.settings import SnapSettings
from meterai.plumbing.config import Configuration, Settings
from meterai.plumbing.keyring import new_rsa_key, public_pem, read_rsa_key

PUBLIC_FILE = "provider.pub.pem"  # for the provider; nothing here reads it


def _bank_address(of: Configuration) -> Iterator[Facts]:
    url = split_url(of.value("bank_url"))
    if url is None or url.scheme != "https" or not url.hostname or is_this_machine(url.hostname):
        yield {"found": of.value("bank_url") or "nothing"}


def _bank_identity(of: Configuration) -> Iterator[Facts]:
    for name in ("bank_client_id", "bank_merchant_id", "bank_qr_accounts"):
        if of.sources[name] == "default" or not of.settings.flat()[name]:
            yield {"setting": name}


def _keys_there(of: Configuration) -> Iterator[Facts]:
    for one in keys(of.settings):
        if one.path.name != PUBLIC_FILE and not one.path.is_file():
            yield {"path": str(one.path)}


def keys(settings: Settings) -> Iterator[KeyFile]:
    """Our key pair at the provider, and what the provider gives us."""
    folder = settings.process.directory / "keys"
    own = folder / SIGNING_KEY_FILE
    yield KeyFile(own, "provider", new_rsa_key)
    yield KeyFile(
        folder / PUBLIC_FILE, "provider_public", lambda: public_pem(read_rsa_key(own)), public=True
    )
    yield KeyFile(public_key_file(settings, folder), "bank_public", public=True)
    if not settings.of(SnapSettings).bank_client_secret:
        yield KeyFile(folder / CLIENT_SECRET_FILE, "bank_secret")


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
