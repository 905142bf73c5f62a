"""The one form in which OCSP answers and revocation lists stand in a document.

The signature of an authority covers its statement and nothing around it: there anybody could put
other certificates or write the same otherwise. So an answer is laid out anew when it is taken in,
and compared with that form when it is read (RFC 6960, section 4.2.1; RFC 5280, section 5.1).
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing.signing import der
from meterai.sealing.signing.der import CONTEXT_0, OCTETS, SEQUENCE, NotDer, tlv
from meterai.sealing.signing.token_layout import ECDSA_NAMES, NULL, RSA_NAMES

_BIT_STRING = 0x03
_BASIC = bytes.fromhex("06092b0601050507300101")  # id-pkix-ocsp-basic
_SUCCESSFUL = bytes.fromhex("0a0100")
_ALGORITHMS = {tlv(SEQUENCE, one, NULL) for one in RSA_NAMES.values()} | {
    tlv(SEQUENCE, one) for one in ECDSA_NAMES.values()
}


def plain_ocsp(answer: bytes, responder: x509.Certificate | None) -> bytes:
    """The answer with the certificate of its responder, if the authority appointed one, and no other.

    Raises `NotDer` for an answer in another encoding or signed by another algorithm.
    """
    response = der.only(answer, SEQUENCE, 0, len(answer))
    _, wrapped = _of(answer, response, 2)
    inside = der.only(answer, SEQUENCE, wrapped.start, wrapped.stop)
    _, octets = _of(answer, inside, 2)
    basic = der.only(answer, SEQUENCE, octets.start, octets.stop)
    statement, algorithm, signature = _signed(answer, basic)
    certificates = b""
    if responder is not None:
        encoded = responder.public_bytes(Encoding.DER)
        certificates = tlv(CONTEXT_0, tlv(SEQUENCE, encoded))
    written = tlv(SEQUENCE, statement, algorithm, signature, certificates)
    answered = tlv(SEQUENCE, _BASIC, tlv(OCTETS, written))
    return tlv(SEQUENCE, _SUCCESSFUL, tlv(CONTEXT_0, answered))


def plain_crl(answer: bytes) -> bytes:
    """The list, encoded strictly. Raises like `plain_ocsp`."""
    whole = der.only(answer, SEQUENCE, 0, len(answer))
    statement, algorithm, signature = _signed(answer, whole)
    return tlv(SEQUENCE, statement, algorithm, signature)


def _of(answer: bytes, whole: der.Element, least: int) -> list[der.Element]:
    """The first members of an element. Raises `NotDer` if there are fewer."""
    members = der.members(answer, whole)
    if len(members) < least:
        raise NotDer("another layout")
    return members[:least]


def _signed(answer: bytes, whole: der.Element) -> tuple[bytes, bytes, bytes]:
    """Statement, algorithm and signature.  Raises `NotDer` for another algorithm, or a signature that is no
    BIT STRING of whole octets: of one that ends with a zero bit the last bit may be called unused, and it holds.
    """
    members = _of(answer, whole, 3)
    statement, algorithm, signature = (answer[one.at : one.stop] for one in members)
    if algorithm not in _ALGORITHMS:
        raise NotDer("another algorithm")
    if (
        answer[members[2].at] != _BIT_STRING
        or answer[members[2].start : members[2].start + 1] != b"\0"
    ):
        raise NotDer("a signature of no whole octets")
    return statement, algorithm, signature
