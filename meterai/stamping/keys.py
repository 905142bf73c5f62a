"""Key files that sealing needs in production.

The key files of the first issuer are made before its certificates, since an authority certifies existing keys.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from meterai import sealing
from meterai.commands import KeyFile
from meterai.plumbing.config import ConfigurationWrong, Settings
from meterai.plumbing.files import read_key_file
from meterai.sealing import (
    CHAIN_FILES,
    CLAIM_KEY_FILE,
    CLAIM_PUBLIC_FILE,
    CURRENT_FILE,
    KEY_FILE,
    MODULE_FILE,
)
from meterai.stamping.issuers import issuers_directory
from meterai.stamping.settings import StampingSettings

FIRST = "issuer-1"
REQUEST_FILE = "seal.csr"


def keys(settings: Settings) -> Iterator[KeyFile]:
    """Yield the key files of the current issuer; if there is no issuer yet, the key files that the first one will need."""
    folder = _sealing(issuers_directory(settings))
    if folder.name == FIRST:
        yield KeyFile(
            folder.parent / CURRENT_FILE, "issuer", lambda: f"{FIRST}\n".encode(), public=True
        )
    key, certificate = folder / KEY_FILE, folder / CHAIN_FILES[0]
    if (folder / MODULE_FILE).exists():
        yield KeyFile(folder / MODULE_FILE, "seal_module", public=True)
    elif certificate.exists() and not key.exists():  # a new key would not match the certificate
        yield KeyFile(key, "seal_lost")
    else:
        algorithm = settings.of(StampingSettings).seal_algorithm
        yield KeyFile(key, "seal", partial(sealing.new_seal_key, algorithm))
    if key.exists() and not certificate.exists():
        yield KeyFile(
            folder / REQUEST_FILE, "seal_request", lambda: _request(settings, key), public=True
        )
    for name in CHAIN_FILES:
        yield KeyFile(folder / name, "certificate", public=True)
    yield from _claim_key_files(folder)


def _sealing(issuers: Path) -> Path:
    """Return the directory of the current issuer; if there is no issuer yet, the directory in which the first one will be."""
    if (issuers / CURRENT_FILE).exists():
        return issuers / sealing.appointed(issuers)
    is_alone = any((issuers / name).exists() for name in (*CHAIN_FILES, KEY_FILE, MODULE_FILE))
    return issuers if is_alone else issuers / FIRST


def _claim_key_files(folder: Path) -> Iterator[KeyFile]:
    key, public = folder / CLAIM_KEY_FILE, folder / CLAIM_PUBLIC_FILE
    if (
        public.exists() and not key.exists()
    ):  # existing stamps name this key, so a new key would not fit
        yield KeyFile(key, "claim_lost")
        return
    yield KeyFile(key, "claim", sealing.new_claim_key)
    yield KeyFile(
        public, "claim_public", lambda: sealing.public_of(read_key_file(key)), public=True
    )


def _request(settings: Settings, key: Path) -> bytes:
    name = urlsplit(settings.process.public_url).hostname
    if not name:
        raise ConfigurationWrong(
            "public_url", "settings", "the certificate request needs its host name"
        )
    return sealing.certificate_request(read_key_file(key), name)
