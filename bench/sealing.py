"""Sealing and checking one document, beside what its cryptography alone would cost."""

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pikepdf
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.machine import cpu_per_call
from meterai import sealing
from meterai.kit.clock import SystemClock
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.sealing import Placement, Stamp, Verdict

SECONDS = 2.0  # of processor time for each figure
DOCUMENT_BYTES = 50_000
_PLACEMENT = Placement(1, 60, 60, 80)


@dataclass(frozen=True, slots=True)
class Sealing:
    """Processor seconds of one document."""

    bytes: int
    seal: float
    seal_limit: float
    verify: float
    verify_limit: float


def letter() -> bytes:
    """A page with words and a picture that does not shrink, some 50 KB together."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    picture = document.make_stream(os.urandom(DOCUMENT_BYTES - 1_000))
    picture.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=245,
        Height=200,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=8,
    )
    page.Resources = pikepdf.Dictionary(
        Font=pikepdf.Dictionary(F1=font), XObject=pikepdf.Dictionary(P=picture)
    )
    page.Contents = document.make_stream(
        b"BT /F1 14 Tf 72 770 Td (Surat Perjanjian) Tj ET q 245 0 0 200 72 500 cm /P Do Q"
    )
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def measure() -> Sealing:
    """Seal and check one generated document, again and again."""
    clock, original, maker = SystemClock(), letter(), SerialMaker(UNLEASED)
    with tempfile.TemporaryDirectory(prefix="meterai-bench-") as folder:
        issuer = sealing.development_issuer(Path(folder) / "issuer", at=clock.now())

    def seal() -> bytes:
        stamps = [Stamp(maker.make(), _PLACEMENT)]
        sealing.inspect(original, [_PLACEMENT])
        delta = sealing.seal(
            original,
            stamps,
            issuer,
            at=clock.now(),
            check_url="https://meterai.example/c/",
            specimen=True,
        )
        return original + delta.data

    stamped = seal()

    def verify() -> None:
        assert sealing.verify(stamped, [issuer.root], at=clock.now()).verdict == Verdict.GENUINE

    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    signature = key.sign(hashlib.sha256(stamped).digest(), algorithm)
    public = key.public_key()
    return Sealing(
        len(original),
        cpu_per_call(seal, SECONDS),
        cpu_per_call(lambda: key.sign(hashlib.sha256(stamped).digest(), algorithm), SECONDS / 4),
        cpu_per_call(verify, SECONDS),
        cpu_per_call(
            lambda: public.verify(signature, hashlib.sha256(stamped).digest(), algorithm),
            SECONDS / 4,
        ),
    )
