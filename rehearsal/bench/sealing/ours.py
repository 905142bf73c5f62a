"""Calls of the room `sealing` for the bench: one issuer, one stamp on the last page, a fixed time."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meterai import sealing
from meterai.kit.serial import UNLEASED, Serial, SerialMaker
from meterai.sealing import LAST_PAGE, Placement, Stamp, Verdict
from meterai.sealing.signing.issuer import KEY_FILE
from meterai.sealing.signing.keys import PrivateKey
from meterai.sealing.signing.requests import Algorithm
from meterai.sealing.writing import engine

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CHECK_URL = "https://meterai.example/c/"
PLACEMENT = Placement(LAST_PAGE, 20, 20, 70)
SEVERAL = tuple(Placement(LAST_PAGE, 20 + 75 * column, 20, 70) for column in range(5))


class Ours:
    """Seals and checks with one development issuer, made in `folder`."""

    def __init__(self, folder: Path, algorithm: Algorithm) -> None:
        self.issuer = sealing.development_issuer(folder, algorithm=algorithm, at=AT)
        self.key = private_key(folder)
        assert self.issuer.claim_key is not None
        self.claim_key = self.issuer.claim_key
        self._claim_keys = {self.claim_key.id: self.claim_key.public}
        self._maker = SerialMaker(UNLEASED)

    def serial(self) -> Serial:
        """Return an unused serial."""
        return self._maker.make()

    def seal(
        self,
        original: bytes,
        placements: Sequence[Placement] = (PLACEMENT,),
        hashed: sealing.HashedDocument | None = None,
    ) -> bytes:
        """Return the delta of a stamped document, by the engine alone."""
        return self._sealed(engine.seal, original, placements, hashed)

    def deliver(
        self,
        original: bytes | sealing.PreparedDocument,
        hashed: sealing.HashedDocument | None = None,
    ) -> bytes:
        """Return the delta of a stamped document after verifying it, as the product does before a delivery."""
        return self._sealed(sealing.seal, original, (PLACEMENT,), hashed)

    def _sealed(
        self,
        seal: Callable[..., sealing.Delta],
        original: bytes | sealing.PreparedDocument,
        placements: Sequence[Placement],
        hashed: sealing.HashedDocument | None,
    ) -> bytes:
        stamps = [Stamp(self._maker.make(), placement) for placement in placements]
        return seal(
            original,
            stamps,
            self.issuer,
            at=AT,
            check_url=CHECK_URL,
            specimen=True,
            hashed=hashed,
        ).data

    def inspect(self, original: bytes) -> None:
        """Check that the document can be stamped."""
        sealing.inspect(original, (PLACEMENT,))

    def ingest(self, original: bytes) -> None:
        """Check that the document can be stamped, after a repair if it is damaged."""
        assert not sealing.ingest(original, (PLACEMENT,)).is_repaired

    def verify(self, stamped: bytes) -> None:
        """Check a stamped document with its claims; it must be genuine."""
        report = sealing.verify(stamped, [self.issuer.root], at=AT, claim_keys=self._claim_keys)
        assert report.verdict is Verdict.GENUINE, report


def private_key(folder: Path) -> PrivateKey:
    """Return the parsed key of the issuer in the folder."""
    key = load_pem_private_key((folder / KEY_FILE).read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return key


def hashed(original: bytes) -> sealing.HashedDocument:
    """Return a document hashed at its upload."""
    return sealing.HashedDocument.of(original)
