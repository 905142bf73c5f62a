"""All signatures in the form fields of a document, by any signer.  They are read here, but not verified."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from meterai.sealing.checking.checks import time_of
from meterai.sealing.model import LaterSignature
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import SignatureField, signature_fields
from meterai.sealing.signing import cms, trust
from meterai.sealing.signing.issuer import common_name
from meterai.sealing.stamp.identifiers import SEAL_KEY, serial_in_name, serials_in_reason

LATER_MAX = 20  # later signatures that a report names
NAME_MAX = 256  # characters; length of a signer's name in a report
# Parsing cost for each hexadecimal digit of a SignedData: the general parser for foreign ones is slow.
_PARSED_PER_DIGIT = 2


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the statements in it, which are not checked.

    `path` is the certificate chain to a trusted root, or `None` if the certificate is not that of a sealer.
    `serials` are those in the name of the form field and in the reason.
    """

    has_contents: bool
    signed_data: cms.SignedData | None
    path: trust.Path | None
    serials: tuple[str, ...]
    has_record: bool

    def is_claimed(self, sealers: trust.Sealers) -> bool:
        """True if the signature claims to be ours: by a sealer's certificate or name, or by one of our identifiers."""
        return (
            self.path is not None
            or self.has_record
            or bool(self.serials)
            or (self.signed_data is not None and trust.uses_names_of(self.signed_data, sealers))
        )


def signatures_in(document: Document, sealers: trust.Sealers) -> Iterator[Signature]:
    """Yield the signatures in the form fields of a document."""
    for found in signature_fields(document):
        contents = _contents(document, found)
        signed_data = _signed_data(contents)
        named = serial_in_name(found.name)
        reason = serials_in_reason(document.text(found.signature, b"/Reason"))
        yield Signature(
            bool(contents.strip(b"\0")),
            signed_data,
            trust.path_to_root(signed_data, sealers) if signed_data is not None else None,
            reason if named is None else (named, *reason),
            b"/%b" % SEAL_KEY.encode("ascii") in found.signature,
        )


def later_signatures(document: Document, sealed_bytes: int) -> tuple[LaterSignature, ...]:
    """Return up to `LATER_MAX` signatures whose byte range ends behind the sealed bytes."""
    later = (
        LaterSignature(_signer(document, one), time_of(document.text(one.signature, b"/M")))
        for one in signature_fields(document)
        if _covered_end(document, one) > sealed_bytes
    )
    return tuple(islice(later, LATER_MAX))


def _signer(document: Document, found: SignatureField) -> str:
    signed_data = _signed_data(_contents(document, found))
    return common_name(signed_data.leaf)[:NAME_MAX] if signed_data is not None else "-"


def _covered_end(document: Document, found: SignatureField) -> int:
    numbers = document.items(found.signature, b"/ByteRange")[-2:]
    return sum(one for one in numbers if isinstance(one, int))


def _contents(document: Document, found: SignatureField) -> bytes:
    """Return the padded SignedData; it is not encrypted even in an encrypted document (ISO 32000-2, section 7.6.2)."""
    start, stop = found.signature.spans.get(b"/Contents", (0, 0))
    # Several fields may refer to the same signature, and its SignedData is parsed each time, so each time is counted.
    document.note_parsed(_PARSED_PER_DIGIT * (stop - start))
    contents = document.resolve(found.signature.get(b"/Contents"))
    return contents if isinstance(contents, bytes) else b""


def _signed_data(padded: bytes) -> cms.SignedData | None:
    try:
        return cms.read(padded[: cms.der_length(padded)])
    except cms.SignedDataUnreadable:
        return None
