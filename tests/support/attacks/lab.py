"""Resources of an attacker: our service, keys of their own, and programs that write PDFs."""

import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from meterai.kit.serial import Serial, SerialMaker
from meterai.sealing import (
    CheckReport,
    Issuer,
    Issuers,
    Placement,
    Stamp,
    Verdict,
    development_issuer,
    examining,
    verify,
)
from meterai.sealing.sandbox.bounded import finish
from meterai.sealing.stamp.identifiers import FIELD_PREFIX
from meterai.sealing.writing.engine import seal
from tests.support.pdfmaker import Body, letter, update, whole
from tests.support.serials import numbered

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CHECK_URL = "https://meterai.example/c/"
CORNER = Placement(1, 20, 20, 65)
BESIDE = Placement(1, 200, 20, 65)
EMPTY_PAPER = (300, 300, 450, 360)  # an empty rectangle on a page of `letter`
OVER_WORDS = (60, 740, 340, 800)  # a rectangle over its words
_FIRST_SERIAL = 1 << 35  # each document is made in 2026

Change = Callable[[IncrementalPdfFileWriter], None]


@dataclass
class Lab:
    """One issuer, a directory for keys, and documents sealed by the issuer."""

    issuer: Issuer
    directory: Path
    keys: Path | None = None  # keys of the authorities above the issuer, where an attack needs them
    at: datetime = AT
    _serials: SerialMaker = field(default_factory=lambda: SerialMaker(7))

    def serial(self) -> Serial:
        """A new serial."""
        return self._serials.make()

    def stamps(self, document: bytes, *placements: Placement) -> list[Stamp]:
        """Stamps whose serials depend on the document alone.

        The appearance of a stamp and its length follow from its serial, so the same document is always sealed
        with the same bytes.
        """
        first = _FIRST_SERIAL + int.from_bytes(hashlib.sha256(document).digest()[:4], "big")
        return [
            Stamp(numbered(first + index), placement) for index, placement in enumerate(placements)
        ]

    def seal(
        self, document: bytes, *placements: Placement, issuer: Issuer | None = None, **more: Any
    ) -> bytes:
        """Stamp and seal a document by the engine alone, without the refusals of the service.

        A document that is refused today may have been sealed by an earlier version, so its verdict must be
        right too.
        """
        stamps = self.stamps(document, *(placements or [CORNER]))
        by = issuer or self.issuer
        delta = seal(document, stamps, by, at=self.at, check_url=CHECK_URL, specimen=True, **more)
        return document + delta.data

    def verify(self, document: bytes, password: bytes = b"") -> CheckReport:
        """The report of our verifier, with the claims of the QR codes."""
        assert self.issuer.claim_key is not None
        key = self.issuer.claim_key
        return verify(
            document,
            [self.issuer.root],
            at=self.at,
            claim_keys={key.id: key.public},
            password=password,
            seal_certificates=self.issuer.chain[:1],
        )

    def taken_in(self, document: bytes) -> Verdict:
        """The verdict on a document that was uploaded to be stamped."""
        key = self.issuer.claim_key
        assert key is not None
        issuers = Issuers(
            self.issuer, {"own": self.issuer}, (self.issuer.root,), {key.id: key.public}
        )
        _, verdict = finish(examining(document, [BESIDE], issuers, self.at))
        return verdict

    @cached_property
    def original(self) -> bytes:
        """A letter of two pages."""
        return whole(letter(2))

    @cached_property
    def sealed(self) -> bytes:
        """The letter with a stamp on its first page, sealed."""
        return self.seal(self.original)

    @cached_property
    def other(self) -> bytes:
        """Another letter of the same length, sealed."""
        return self.seal(whole(letter(2, "Surat Keterangan")))

    def sealed_of(self, objects: Mapping[int, Body], **style: Any) -> bytes:
        """A sealed document that consists of these objects."""
        return self.seal(whole(objects, **style))

    @cached_property
    def stranger(self) -> signers.SimpleSigner:
        """A signer with names that differ from ours."""
        return self.signer_with(ec.generate_private_key(ec.SECP256R1()))

    def signer_with(
        self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, **more: Any
    ) -> signers.SimpleSigner:
        """The signer of `stranger` with this key."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Notaris Budi")])
        ours = self.issuer.chain[0]
        begin, end = ours.not_valid_before_utc, ours.not_valid_after_utc
        usage = ours.extensions.get_extension_for_class(x509.KeyUsage).value
        builder = x509.CertificateBuilder(name, name, key.public_key(), 77, begin, end)
        certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.directory / "notary.key").write_bytes(private)
        (self.directory / "notary.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        made: signers.SimpleSigner = signers.SimpleSigner.load(
            str(self.directory / "notary.key"), str(self.directory / "notary.pem"), **more
        )
        return made

    @cached_property
    def forger(self) -> Issuer:
        """An issuer with our names and with other keys."""
        return development_issuer(self.directory / "forger", at=AT)

    def signed(
        self,
        document: bytes,
        name: str = "Notaris",
        *,
        change: Change | None = None,
        reason: str = "Saya setuju",
        signer: signers.SimpleSigner | None = None,
        digest: str = "sha256",
        **spec: Any,
    ) -> bytes:
        """The document, signed by the stranger. `change` adds something to the incremental update."""
        writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
        if change is not None:
            change(writer)
        meta = signers.PdfSignatureMetadata(field_name=name, reason=reason, md_algorithm=digest)
        place = fields.SigFieldSpec(name, **spec) if spec else None
        out = signers.PdfSigner(meta, signer or self.stranger, new_field_spec=place).sign_pdf(
            writer
        )
        return bytes(out.getvalue())

    def updated(self, document: bytes, change: Change) -> bytes:
        """The document with one more incremental update, made by a library."""
        writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
        change(writer)
        out = io.BytesIO()
        writer.write(out)
        return bytes(out.getvalue())

    def raw(self, document: bytes, objects: Mapping[int, Body], **more: Any) -> bytes:
        """The document with one more incremental update, written byte by byte."""
        return update(document, objects, **more)


@dataclass(frozen=True)
class Attack:
    """One attack: its maker, the verdict that it must get, and the checks that must fail.

    More checks than those in `failed` may fail. If `refusal` is set, the document is offered for stamping and
    refused with that code.
    """

    make: Callable[[Lab], bytes]
    verdict: str
    failed: frozenset[str] = frozenset()
    refusal: str | None = None


def extended(make: Callable[[Lab], bytes]) -> Attack:
    """An attack that appends to the sealed bytes and leaves them unchanged."""
    return Attack(make, "genuine_then_extended")


def altered(make: Callable[[Lab], bytes], *failed: str) -> Attack:
    """An attack that changes the sealed bytes."""
    return Attack(make, "altered", frozenset(failed))


def forged(make: Callable[[Lab], bytes], *failed: str) -> Attack:
    """An attack by an author with other keys."""
    return Attack(make, "forged", frozenset(failed))


def refused(make: Callable[[Lab], bytes], refusal: str) -> Attack:
    """An attack on a document before it is stamped. It is refused."""
    return Attack(make, "", refusal=refusal)


def serials_of(sealed: bytes) -> list[str]:
    """The serials in the names of the stamps."""
    found = re.findall(rb"\((?:%s)([0-9A-Z]{22})\)" % FIELD_PREFIX.encode(), sealed)
    assert found
    return sorted({one.decode() for one in found})
