"""Recognition of our revocation evidence, which is appended behind a seal (`writing.security_store`).

The update with the evidence is not signed.  So the verifier makes the update anew from the certificates and revocation answers
that it contains, and accepts it only if the two are equal, byte for byte.  Each certificate and answer must be signed by a key
that is certified below a pinned root.  Any other bytes behind a seal count as appended by another party.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from meterai.kit.refusal import Refusal
from meterai.sealing.checking.seals import Seal
from meterai.sealing.model import RevocationEvidence
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.syntax import Ref
from meterai.sealing.signing import timestamps
from meterai.sealing.signing.proofs import is_proven
from meterai.sealing.writing.security_store import store_update

ITEMS_MAX = 64  # certificates and answers in one update; two chains have about twelve
_CATALOG_BYTES_MAX = 256 * 1024  # of the catalog, which the update writes again before the evidence

_END = b"\nendobj\n"
_STREAM = re.compile(rb"(\d{1,10}) 0 obj\n<</Length (\d{1,8})>>stream\n")
_STREAM_END = b"\nendstream" + _END
_LISTED = rb"(?:/%b\[((?:\d{1,10} 0 R ?)*)\])?"
_ENTRY = re.compile(
    rb"\d{1,10} 0 obj\n<</Type/VRI%b%b%b>>\n"
    % (_LISTED % b"Cert", _LISTED % b"OCSP", _LISTED % b"CRL")
)


def own_evidence_end(
    file: bytes,
    sealed: Document,
    seal: Seal,
    named_roots: Sequence[bytes],
    at: datetime,
) -> int:
    """Return the offset at which our revocation evidence behind a seal ends; without evidence, the end of the seal.

    `sealed` is the opened file up to the end of the seal; `named_roots` are the SHA-256 of the roots
    that the time-stamp of the seal may lead to; `at` is the time of sealing.
    """
    if len(file) == seal.end:
        return seal.end
    evidence = _read(file, sealed, seal.end)
    if evidence is None or not _is_proven(evidence, seal, named_roots, at):
        return seal.end
    made = store_update(sealed, seal.contents, evidence)
    return seal.end + len(made) if file.startswith(made, seal.end) else seal.end


def _read(file: bytes, sealed: Document, start: int) -> RevocationEvidence | None:
    """Read the evidence in an update with our layout (catalog, streams, entry for the seal); `None` for another layout."""
    catalog_end = file.find(_END, start, start + _CATALOG_BYTES_MAX)
    if catalog_end < 0:
        return None
    at, items = catalog_end + len(_END), list[bytes]()
    while (opening := _STREAM.match(file, at)) is not None:
        stop = opening.end() + int(opening[2])
        if len(items) == ITEMS_MAX or not file.startswith(_STREAM_END, stop):
            return None
        data = file[opening.end() : stop]
        if sealed.cipher is not None:
            data = sealed.cipher.decrypt_stream(Ref(int(opening[1]), 0), data)
        items.append(data)
        at = stop + len(_STREAM_END)
    entry = _ENTRY.match(file, at)
    if entry is None:
        return None
    certificates, ocsps, crls = ((listed or b"").count(b"R") for listed in entry.groups())
    if certificates + ocsps + crls != len(items):
        return None
    behind = certificates + ocsps
    return RevocationEvidence(
        tuple(items[:certificates]), tuple(items[certificates:behind]), tuple(items[behind:])
    )


def _is_proven(
    evidence: RevocationEvidence, seal: Seal, named_roots: Sequence[bytes], at: datetime
) -> bool:
    chains: list[Sequence[x509.Certificate]] = [seal.path]
    token = seal.signed_data.time_stamp
    try:
        if token is not None:
            chains.append(timestamps.check(token, seal.signed_data.signature, named_roots).chain)
        return is_proven(evidence, chains, at)
    except (Refusal, timestamps.TokenRefused):
        return False
