"""Reading of the seal in a delta (the bytes that sealing appends) without the original: certificates, signature, claims.

The digest that was signed covers the original too.  So a delta alone does not prove that its seal is valid; it proves only that
the sealing key signed that digest.
"""

import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing.checking.seals import BYTE_RANGE, GAP_BYTES_MAX
from meterai.sealing.signing import cms

_GAP = re.compile(rb"<([0-9a-fA-F]{2,%d})(?=%b\d)" % (GAP_BYTES_MAX, re.escape(BYTE_RANGE)))
_CLAIMS = re.compile(rb"/Claims\[((?:\([0-9A-Z]+\))+)\]")
_CLAIM = re.compile(rb"\(([0-9A-Z]+)\)")


@dataclass(frozen=True, slots=True)
class DeltaSeal:
    """The last seal in a delta, the bytes that sealing appended to a document.

    `chain` is the certificate of the sealing key, followed by those of its authorities up to the root.
    `signature_holds` is true if that key signed the attributes; one of them is `digest`, the SHA-256 of the sealed
    bytes.  `claims` are in the order of the serials; they cannot be read in the delta of an encrypted document.
    """

    chain: tuple[x509.Certificate, ...]
    digest: bytes
    signature_holds: bool
    claims: tuple[str, ...]

    def pem(self) -> bytes:
        """Return the chain in PEM, the certificate of the sealing key first."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)


def seal_in(delta: bytes) -> DeltaSeal | None:
    """Return the last of our seals in a delta; None if no seal can be read."""
    gaps = _GAP.findall(delta)
    if not gaps:
        return None
    try:
        found = cms.read_own(bytes.fromhex(gaps[-1].decode("ascii")))
    except (ValueError, cms.SignedDataUnreadable):
        return None
    listed = _CLAIMS.findall(delta)
    claims = tuple(one.decode() for one in _CLAIM.findall(listed[-1])) if listed else ()
    chain = (found.leaf, *found.others)
    return DeltaSeal(chain, found.message_digest, found.signature_holds, claims)
