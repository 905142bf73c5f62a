"""All signatures that the form of a document leads to, whoever made them; no verdict on them."""

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

LATER_MAX = 20  # signatures behind a seal that a report names
NAME_MAX = 256  # characters of a signer's name in a report
# A foreign SignedData goes to a general parser, which takes so many times as long.
_PARSED_PER_DIGIT = 2


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature with its own statements.

    `path` leads from its certificate, if it is a sealer's, to a trusted root; `serials` are those in
    its field's name and its reason.
    """

    has_contents: bool
    signed_data: cms.SignedData | None
    path: trust.Path | None
    serials: tuple[str, ...]
    has_record: bool

    def is_claimed(self, sealers: trust.Sealers) -> bool:
        """True if the signature is by a sealer's certificate or has one of our identifiers."""
        return (
            self.path is not None
            or self.has_record
            or bool(self.serials)
            or (self.signed_data is not None and trust.uses_names_of(self.signed_data, sealers))
        )


def signatures_in(document: Document, sealers: trust.Sealers) -> Iterator[Signature]:
    """Yield the signatures of a document."""
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
    """Return the signatures that state to cover more than the sealed bytes."""
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
    """Return the SignedData, which is never encrypted (ISO 32000-2, section 7.6.2)."""
    start, stop = found.signature.spans.get(b"/Contents", (0, 0))
    # Many fields may name the same signature; its SignedData is parsed each time.
    document.note_parsed(_PARSED_PER_DIGIT * (stop - start))
    contents = document.resolve(found.signature.get(b"/Contents"))
    return contents if isinstance(contents, bytes) else b""


def _signed_data(padded: bytes) -> cms.SignedData | None:
    try:
        return cms.read(padded[: cms.der_length(padded)])
    except cms.SignedDataUnreadable:
        return None
