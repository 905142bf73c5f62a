"""The same work by pyHanko, in two ways: as in its guide, and as fast as possible.

Fast means: the private key is parsed once (`SimpleSigner` parses it for every signature), the size of the container is
given (else it signs twice), the drawing is prepared bytes except for serial and code, the code is drawn by our
encoder, the update is written in place, and a single event loop serves all calls.
"""

import asyncio
import hashlib
import io
from typing import IO, Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign import fields
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.stamp import BaseStamp, BaseStampStyle, TextStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from bench.sealing.ours import AT, CHECK_URL, PLACEMENT, Ours
from meterai.kit.serial import Serial
from meterai.sealing import claim
from meterai.sealing.pdf.serialization import Stream
from meterai.sealing.signing.keys import PrivateKey
from meterai.sealing.stamp import appearance, artwork
from meterai.sealing.stamp.identifiers import field_name, reason
from meterai.sealing.stamp.qr import check_address, encoder_for
from meterai.sealing.stamp.wording import wording

_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)
_PKCS1 = padding.PKCS1v15()
_BOX = (
    int(PLACEMENT.x),
    int(PLACEMENT.y),
    int(PLACEMENT.x + PLACEMENT.width),
    int(PLACEMENT.y + PLACEMENT.height),
)


class _KeptKeySigner(Signer):
    """A signer whose key stays parsed."""

    def __init__(self, key: PrivateKey, chain: list[asn1_x509.Certificate]) -> None:
        self._key = key
        super().__init__(
            signing_cert=chain[0], cert_registry=SimpleCertificateStore.from_certs(chain[1:])
        )

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001 - pyHanko's signature
    ) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, _PKCS1, _SHA256)
        return self._key.sign(data, _ECDSA)


class _Ready(generic.PdfObject):
    """An object with prepared bytes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def write_to_stream(
        self,
        stream: IO[bytes],
        handler: object = None,
        container_ref: object = None,
    ) -> None:
        stream.write(self._body)


class _ReadyStyle(BaseStampStyle):
    """Style of a stamp with our drawing, for pyHanko."""

    def create_stamp(
        self,
        writer: Any,
        box: BoxConstraints,
        text_params: dict[str, Any],
    ) -> "_ReadyStamp":
        return _ReadyStamp(writer, text_params["serial"], text_params["text"])


class _ReadyStamp(BaseStamp):
    """Our drawing on one document."""

    def __init__(self, writer: Any, serial: Serial, text: str) -> None:
        super().__init__(writer, None)
        self._writer = writer
        self._serial = serial
        self._text = text

    def apply_appearance(self, annotation: generic.DictionaryObject) -> None:
        """Write the objects and attach them to the annotation."""
        shared = appearance.shared(specimen=True)
        references = [self._writer.allocate_placeholder() for _ in range(shared.count + 1)]
        first = references[0].reference.idnum
        code = encoder_for(len(self._text)).draw(self._text)
        words = artwork.serial_and_words(self._serial, wording(AT, CHECK_URL))
        face = appearance.appearance_stream(words, code, PLACEMENT.width, 0, first)
        for reference, body in zip(references, [*shared.objects(first), face], strict=True):
            ready = _Ready(_written(body))
            self._writer.add_object(ready, idnum=reference.reference.idnum)
        annotation[generic.pdf_name("/AP")] = generic.DictionaryObject(
            {generic.pdf_name("/N"): references[-1]}
        )


def _written(body: Stream | bytes) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (body.entries, len(body.data), body.data)


class Peers:
    """pyHanko in two ways, with the keys and certificates of one of our issuers."""

    def __init__(self, ours: Ours) -> None:
        self._ours = ours
        chain = [
            asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in ours.issuer.chain
        ]
        self._kept = _KeptKeySigner(ours.key, chain)
        pkcs8 = ours.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._simple = SimpleSigner(
            chain[0],
            asn1_keys.PrivateKeyInfo.load(pkcs8),
            SimpleCertificateStore.from_certs(chain[1:]),
        )
        self._bytes_reserved = 2 * ours.issuer.signed_data_bytes_max + 1_000
        self._bytes_reserved += self._bytes_reserved % 2
        self._ready = _ReadyStyle()
        self._loop = asyncio.new_event_loop()
        self._plain = TextStampStyle(stamp_text="%(serial)s")

    def _signer(self, serial: Serial, signer: Signer, style: BaseStampStyle) -> PdfSigner:
        metadata = PdfSignatureMetadata(
            field_name=field_name(serial),
            md_algorithm="sha256",
            reason=reason([serial]),
            name=self._ours.issuer.name,
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.FILL_FORMS,
        )
        spec = fields.SigFieldSpec(field_name(serial), on_page=PLACEMENT.page, box=_BOX)
        return PdfSigner(metadata, signer, stamp_style=style, new_field_spec=spec)

    def _text(self, serial: Serial, original: bytes) -> str:
        written = claim.make(serial, AT, hashlib.sha256(original).digest(), self._ours.claim_key)
        return f"{check_address(CHECK_URL, serial)}/{written}"

    def tuned(self, original: bytes) -> bytes:
        """Return the document stamped as fast as pyHanko can."""
        serial, file = self._ours.serial(), io.BytesIO(original)
        result = self._signer(serial, self._kept, self._ready).async_sign_pdf(
            IncrementalPdfFileWriter(file, strict=False),
            bytes_reserved=self._bytes_reserved,
            appearance_text_params={"serial": serial, "text": self._text(serial, original)},
            in_place=True,
        )
        self._loop.run_until_complete(result)
        return file.getvalue()

    def normal(self, original: bytes) -> bytes:
        """Return the document stamped as in pyHanko's guide; its stamp has neither art nor code."""
        serial = self._ours.serial()
        out = self._signer(serial, self._simple, self._plain).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(original), strict=False),
            appearance_text_params={"serial": str(serial)},
        )
        return bytes(out.getvalue())

    def close(self) -> None:
        """Close the event loop."""
        self._loop.close()
