"""Builds the service of random draws from the settings of an installation."""

from pathlib import Path

import msgspec

from meterai.draw.adapters.drand import Relays
from meterai.draw.advancing import DrawService, DrawTerms
from meterai.draw.files import DrawFiles
from meterai.draw.protocol.chain import QUICKNET, SCHEME, BeaconChain, is_usable
from meterai.draw.settings import DrawSettings
from meterai.draw.subjects import Subjects
from meterai.kit.clock import Clock
from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database
from meterai.plumbing.files import read_settings_file
from meterai.plumbing.signed import DocumentSigner


class ChainUnusable(CommandRefusal):
    """The file that describes the drand chain cannot be read, or describes an unsupported chain."""

    code = "draw_chain_unusable"
    status = 500

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: no chain of drand can be read")
        self.path = path


class _Info(msgspec.Struct):
    """Description of a drand chain, as a relay returns it at /info (version 2)."""

    public_key: str
    period: int
    genesis_time: int
    genesis_seed: str
    beacon_id: str
    scheme: str = SCHEME


class DrawSigner:
    """Signs the records of draws with the key of the installation."""

    def __init__(self, signer: DocumentSigner) -> None:
        self._signer = signer

    @property
    def public_key(self) -> bytes:
        """Return the public key, 32 bytes."""
        return self._signer.public_key()

    def sign(self, message: bytes) -> bytes:
        """Return an Ed25519 signature, 64 bytes."""
        return self._signer.sign_message(message)


def chain_of(path: str) -> BeaconChain:
    """Return the chain described in a file; quicknet if the path is empty.  Refuses `ChainUnusable`."""
    if not path:
        return QUICKNET
    try:
        told = msgspec.json.decode(read_settings_file(Path(path)), type=_Info)
    except (OSError, ValueError, RecursionError) as error:
        raise ChainUnusable(path) from error
    chain = BeaconChain(
        told.beacon_id,
        told.period,
        told.genesis_time,
        told.genesis_seed,
        told.public_key,
        told.scheme,
    )
    if not is_usable(chain):
        raise ChainUnusable(path)
    return chain


def draw_service_of(
    database: Database, signer: DocumentSigner, settings: Settings, clock: Clock, subjects: Subjects
) -> DrawService:
    """Return the service that carries out the draws of these subjects."""
    told = settings.of(DrawSettings)
    terms = DrawTerms(chain_of(told.waiting_room_drand_chain), told.waiting_room_publish_seconds)
    relays = Relays(told.waiting_room_drand_urls.split())
    files = DrawFiles(settings.process.directory, subjects.path)
    return DrawService(database, DrawSigner(signer), relays, files, terms, clock, subjects)
