"""Seal in a delta, without the original: certificates, the signature over its attributes, and claims.

The digest of a seal covers the original too, so a delta alone does not prove that the seal holds.  It proves that
the key of the seal signed that digest.
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
    """The last seal in a delta.

    `chain` is the certificate of its key and those above; `signature_holds` is true if the key signed the attributes,
    among them `digest`, the SHA-256 of the sealed bytes.  Claims are in the order of the serials; a delta of an
    encrypted document hides them.
    """

    chain: tuple[x509.Certificate, ...]
    digest: bytes
    signature_holds: bool
    claims: tuple[str, ...]

    def pem(self) -> bytes:
        """Return the chain in PEM, the key's own certificate first."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)


def seal_in(delta: bytes) -> DeltaSeal | None:
    """Return the last seal in a delta of ours; None if none can be read."""
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
