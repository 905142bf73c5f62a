"""CMS SignedData (RFC 5652) of a seal: written from a template, read as untrusted.

The SignedData of an issuer is constant except for two values: the digest of the document and the signature.
So it is laid out once for each issuer, and a seal costs one private-key operation.  The signed attributes are those
of PAdES baseline B-B (ETSI EN 319 142-1, section 6.3): content type, message digest, signing certificate v2.  Level B-T
adds one unsigned attribute, the time-stamp over the signature (ETSI EN 319 122-1, section 5.3).

Our own SignedData is read strictly by `der`.  Foreign SignedData may be BER or use other algorithms; a general parser
reads it, a hundred times slower.
"""

import hashlib
from binascii import hexlify
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from asn1crypto import cms as asn1_cms
from asn1crypto import parser as asn1_parser
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from meterai.sealing.signing import der
from meterai.sealing.signing.cms_layout import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    SHA256_NAME,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    TIME_STAMP_TOKEN,
    CmsLayout,
    issuer_and_serial,
    key_of,
)
from meterai.sealing.signing.der import CONTEXT_0, CONTEXT_1, INTEGER, OCTETS, SEQUENCE, SET
from meterai.sealing.signing.ecdsa import is_low
from meterai.sealing.signing.keys import SealKey

CERTIFICATES_MAX = 20  # in one SignedData, to bound parsing; a chain has three
TIME_STAMP_BYTES_MAX = 12 * 1024  # a token with a chain of three RSA certificates has 4-7 KiB

_CERTIFICATES_KEPT = 256  # cached after parsing; a verifier reads those of few issuers
_LAYOUTS_KEPT = 16  # cached; one for each of our chains

_ECDSA_P256_BYTES_MAX = 72  # two integers of 33 bytes and their headers
# A token and its three headers: attribute, set of values, set of attributes.
_TIME_STAMP_FRAME_BYTES = 3 * 4 + len(TIME_STAMP_TOKEN)
# Five length fields around the token may grow from three bytes to four, and not more below 64 KiB.
TIME_STAMP_RESERVE_BYTES = TIME_STAMP_BYTES_MAX + _TIME_STAMP_FRAME_BYTES + 5

_DIGESTS = {
    SHA256_NAME: "sha256",
    bytes.fromhex("0609608648016503040202"): "sha384",
    bytes.fromhex("0609608648016503040203"): "sha512",
}
# Mechanism for each algorithm identifier, and the digest that its name contains.
_MECHANISMS = {
    bytes.fromhex("06092a864886f70d010101"): ("rsassa_pkcs1v15", ""),
    bytes.fromhex("06092a864886f70d01010b"): ("rsassa_pkcs1v15", "sha256"),
    bytes.fromhex("06092a864886f70d01010c"): ("rsassa_pkcs1v15", "sha384"),
    bytes.fromhex("06092a864886f70d01010d"): ("rsassa_pkcs1v15", "sha512"),
    bytes.fromhex("06082a8648ce3d040302"): ("ecdsa", "sha256"),
    bytes.fromhex("06082a8648ce3d040303"): ("ecdsa", "sha384"),
    bytes.fromhex("06082a8648ce3d040304"): ("ecdsa", "sha512"),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PKCS1 = padding.PKCS1v15()


class _Frame(NamedTuple):
    """Constant parts of a SignedData, for signatures of one length; each part as bytes and in hexadecimal."""

    head: bytes
    middle: bytes
    head_hex: bytes
    middle_hex: bytes


class CmsSigner:
    """Makes the SignedData of one signer.  Safe to use from several threads."""

    def __init__(self, key: SealKey, chain: Sequence[x509.Certificate]) -> None:
        self._key = key
        self._layout = CmsLayout(chain)
        self._before, self._after = self._layout.around_digest()
        # Key: length of the signature in bytes.  RSA has one length; ECDSA has three frequent ones and a few rare ones.
        self._frames: dict[int, _Frame] = {}
        public = key.public_key()
        is_rsa = isinstance(public, rsa.RSAPublicKey)
        signature = bytes(public.key_size // 8 if is_rsa else _ECDSA_P256_BYTES_MAX)
        self.bytes_max = len(
            self._layout.content_info(self._layout.attributes(bytes(32)), signature)
        )

    def sign(self, digest: bytes) -> bytes:
        """Return the SignedData over a document with this SHA-256 digest."""
        signature = self._key.sign(self._before + digest + self._after)
        frame = self._frame(len(signature))
        return frame.head + digest + frame.middle + signature

    def sign_hex(self, digest: bytes) -> bytes:
        """Return the SignedData over this SHA-256 digest in lower-case hexadecimal, as a PDF holds it."""
        signature = self._key.sign(self._before + digest + self._after)
        frame = self._frame(len(signature))
        return frame.head_hex + hexlify(digest) + frame.middle_hex + hexlify(signature)

    def sign_with_time(self, digest: bytes, token_over: Callable[[bytes], bytes]) -> bytes:
        """Return the SignedData over this SHA-256 digest, with a time-stamp.

        `token_over` returns the time-stamp token for a signature value.  Raises `ValueError` for a token of more than
        `TIME_STAMP_BYTES_MAX`.
        """
        attributes = self._before + digest + self._after
        signature = self._key.sign(attributes)
        token = token_over(signature)
        if len(token) > TIME_STAMP_BYTES_MAX:
            raise ValueError(f"a time-stamp of {len(token)} bytes, at most {TIME_STAMP_BYTES_MAX}")
        return self._layout.content_info(attributes, signature, token)

    def _frame(self, signature_bytes: int) -> _Frame:
        frame = self._frames.get(signature_bytes)
        if frame is None:
            head, middle = self._layout.around_signature(signature_bytes)
            frame = _Frame(head, middle, hexlify(head), hexlify(middle))
            self._frames[signature_bytes] = frame
        return frame


class SignedDataUnreadable(ValueError):
    """The bytes are not a readable SignedData with exactly one signer."""


@dataclass(frozen=True)
class SignedData:
    """Parsed SignedData.  Its content is not verified yet.

    `leaf` is the certificate of the signer.  `is_der` is false for a SignedData in BER.  We never write BER, so a signature in
    BER is never accepted, and only its signer can be reported.
    """

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    digest_name: str
    message_digest: bytes
    names_all: bool  # signing-certificate-v2 holds the SHA-256 of `leaf`, and of each of `others`
    signed_bytes: bytes
    signature: bytes
    mechanism: str
    time_stamp: bytes | None = None  # token over `signature`, if the only unsigned attribute
    is_der: bool = True

    def is_laid_out_as_ours(self, encoded: bytes) -> bool:
        """True if `encoded`, from which this value was parsed, equals our own layout of the same content.

        The signature does not cover itself, the frame and the time-stamp, so that only this check detects a changed layout of
        these parts.  `timestamps.check` checks the content of the time-stamp.
        """
        if not self.is_der:
            return False
        key = key_of(self.leaf)
        if isinstance(key, ec.EllipticCurvePublicKey) and not is_low(self.signature, key.curve):
            return False
        layout = _layout_of((self.leaf, *self.others))
        return encoded == layout.content_info(self.signed_bytes, self.signature, self.time_stamp)

    @cached_property
    def signature_holds(self) -> bool:
        """True if the key of `leaf` made the signature over the signed attributes; computed once."""
        digest = _HASHES.get(self.digest_name)
        if digest is None or not self.is_der:
            return False
        try:
            key = key_of(self.leaf)
            if isinstance(key, rsa.RSAPublicKey) and self.mechanism == "rsassa_pkcs1v15":
                key.verify(self.signature, self.signed_bytes, _PKCS1, digest)
            elif isinstance(key, ec.EllipticCurvePublicKey) and self.mechanism == "ecdsa":
                key.verify(self.signature, self.signed_bytes, ec.ECDSA(digest))
            else:
                return False
        except InvalidSignature:
            return False
        return True


def der_length(text: bytes) -> int:
    """Return the length in bytes of the element that `text` begins with, header included; raises `SignedDataUnreadable`."""
    try:
        return der.element(text, 0, len(text)).stop
    except der.NotDer:
        pass
    try:
        element = asn1_parser.parse(text, strict=False)
    except ValueError as cause:
        raise SignedDataUnreadable("no DER element") from cause
    return sum(len(part) for part in element[3:6])


def read(encoded: bytes) -> SignedData:
    """Parse a SignedData.  Raises `SignedDataUnreadable`.

    It is raised also for bytes after the SignedData, more than one signer, a repeated signed attribute, more than
    `CERTIFICATES_MAX` certificates, or a missing certificate of the signer.
    """
    try:
        return _read_ours(encoded)
    except der.NotDer:
        pass
    try:
        return _read_foreign(encoded)
    # asn1crypto parses lazily and raises many kinds of exception.
    except Exception as cause:
        raise SignedDataUnreadable("the CMS SignedData cannot be read") from cause


def read_own(encoded: bytes) -> SignedData:
    """Parse a SignedData in our own layout, padding behind it ignored.  Raises `SignedDataUnreadable` for other layouts."""
    try:
        return _read_ours(encoded[: der.element(encoded, 0, len(encoded)).stop])
    except der.NotDer as cause:
        raise SignedDataUnreadable("the layout differs from ours") from cause


class _Known(NamedTuple):
    """A certificate, with the two values by which a SignedData identifies its signer."""

    certificate: x509.Certificate
    issuer_and_serial: bytes
    sha256: bytes


@lru_cache(maxsize=_CERTIFICATES_KEPT)
def _known(encoded: bytes) -> _Known:
    issuer, serial = issuer_and_serial(encoded)
    certificate = _load(encoded)
    return _Known(certificate, issuer + serial, hashlib.sha256(encoded).digest())


def _load(encoded: bytes) -> x509.Certificate:
    """Parse a certificate.

    Raises `SignedDataUnreadable` if its serial number is not positive (RFC 5280, 4.1.2.2) or its names cannot be read.  The
    library itself only warns of such a number, and parses names only when they are used.
    """
    _, serial = issuer_and_serial(encoded)
    if serial[2] & 0x80 or not serial[2:].strip(b"\0"):
        raise SignedDataUnreadable("a certificate without a proper number")
    certificate = x509.load_der_x509_certificate(encoded)
    try:
        _ = certificate.subject, certificate.issuer
    except ValueError as cause:
        raise SignedDataUnreadable("the names of a certificate cannot be read") from cause
    return certificate


@lru_cache(maxsize=_LAYOUTS_KEPT)
def _layout_of(chain: tuple[x509.Certificate, ...]) -> CmsLayout:
    return CmsLayout(chain)


# -- our own layout ------------------------------------------------------------------------------


def _read_ours(encoded: bytes) -> SignedData:
    """Parse our layout.  Raises `NotDer` for another layout, and `SignedDataUnreadable` for forbidden content in our layout."""
    whole = der.element(encoded, 0, len(encoded))
    if whole.stop != len(encoded):
        raise SignedDataUnreadable("bytes after the SignedData")
    kind, content = _members(encoded, whole, SEQUENCE, der.NAME, CONTEXT_0)
    _expect(encoded[kind.at : kind.stop] == SIGNED_DATA)
    signed_data = der.only(encoded, SEQUENCE, content.start, content.stop)
    _, _, encapsulated, certificates, signers = _members(
        encoded, signed_data, SEQUENCE, INTEGER, SET, SEQUENCE, CONTEXT_0, SET
    )
    data = der.element(encoded, encapsulated.start, encapsulated.stop)
    if encoded[data.at : data.stop] != DATA:
        raise SignedDataUnreadable("not a signature over a document")
    known = _certificates(encoded, certificates)
    infos = der.members(encoded, signers)
    if len(infos) != 1:
        raise SignedDataUnreadable("not exactly one signer")
    return _read_signer(encoded, infos[0], known)


def _read_signer(encoded: bytes, info: der.Element, known: list[_Known]) -> SignedData:
    fields = der.members(encoded, info)
    _expect(len(fields) in (6, 7))
    _, sid, digest_algorithm, signed, algorithm, signature, *unsigned = fields
    _expect([sid.tag, signed.tag, signature.tag] == [SEQUENCE, CONTEXT_0, OCTETS])
    _expect(not unsigned or [item.tag for item in unsigned] == [CONTEXT_1])
    identifier = encoded[sid.start : sid.stop]
    leaf = next((one for one in known if one.issuer_and_serial == identifier), None)
    if leaf is None:
        raise SignedDataUnreadable("the signer's certificate is missing")
    attributes = _attributes(encoded, signed)
    digest = attributes.get(MESSAGE_DIGEST)
    if digest is None or digest.tag != OCTETS:
        raise SignedDataUnreadable("no digest of the document")
    kind = attributes.get(CONTENT_TYPE)
    if kind is None or encoded[kind.at : kind.stop] != DATA:
        raise SignedDataUnreadable("the signed content type is not data")
    digest_name, mechanism = _algorithms(
        _name_in(encoded, digest_algorithm), _name_in(encoded, algorithm)
    )
    return SignedData(
        leaf=leaf.certificate,
        others=tuple(one.certificate for one in known if one.sha256 != leaf.sha256),
        digest_name=digest_name,
        message_digest=encoded[digest.start : digest.stop],
        names_all=_names(encoded, attributes.get(SIGNING_CERTIFICATE_V2), leaf, known),
        # RFC 5652, section 5.4: the attributes are signed with the tag of a SET instead of the implicit [0].
        signed_bytes=bytes([SET]) + encoded[signed.at + 1 : signed.stop],
        signature=encoded[signature.start : signature.stop],
        mechanism=mechanism,
        time_stamp=_time_stamp(encoded, unsigned[0]) if unsigned else None,
    )


def _expect(fact: bool) -> None:  # noqa: FBT001 - it reads as a sentence
    if not fact:
        raise der.NotDer("another layout than ours")


def _members(encoded: bytes, whole: der.Element, *tags: int) -> list[der.Element]:
    """Return the members of an element; `tags` are the required tags of the element and of each member, in order."""
    found = der.members(encoded, whole)
    _expect((whole.tag, *(member.tag for member in found)) == tags)
    return found


def _certificates(encoded: bytes, whole: der.Element) -> list[_Known]:
    found = der.members(encoded, whole)
    if len(found) > CERTIFICATES_MAX:
        raise SignedDataUnreadable("too many certificates")
    try:
        return [_known(encoded[one.at : one.stop]) for one in found if one.tag == SEQUENCE]
    # cryptography raises a different exception for each defect of a certificate.
    except Exception as cause:
        raise SignedDataUnreadable("a certificate cannot be read") from cause


def _attributes(encoded: bytes, whole: der.Element) -> dict[bytes, der.Element]:
    """Return the value of each signed attribute by its name.  Refuses a repeated attribute or several values."""
    found: dict[bytes, der.Element] = {}
    for attribute in der.members(encoded, whole):
        name, values = _members(encoded, attribute, SEQUENCE, der.NAME, SET)
        inside = der.members(encoded, values)
        key = encoded[name.at : name.stop]
        if key in found or len(inside) != 1:
            raise SignedDataUnreadable("a signed attribute is not single")
        found[key] = inside[0]
    return found


def _name_in(encoded: bytes, algorithm: der.Element) -> bytes:
    """Return the object identifier in an AlgorithmIdentifier.  Raises `NotDer` for parameters other than NULL."""
    name = der.element(encoded, algorithm.start, algorithm.stop)
    _expect(encoded[name.stop : algorithm.stop] in (b"", b"\x05\x00"))
    return encoded[name.at : name.stop]


def _algorithms(digest: bytes, signing: bytes) -> tuple[str, str]:
    """Return the names of the digest algorithm and of the signature mechanism, whose encoded identifiers are given.

    Raises `SignedDataUnreadable` if the mechanism includes a digest algorithm other than `digest`.
    """
    _expect(digest in _DIGESTS and signing in _MECHANISMS)
    mechanism, stated = _MECHANISMS[signing]
    if stated and stated != _DIGESTS[digest]:
        raise SignedDataUnreadable("two different digests are named")
    return _DIGESTS[digest], mechanism


def _names(
    encoded: bytes, value: der.Element | None, leaf: _Known, known: Sequence[_Known]
) -> bool:
    """True if the attribute signing-certificate-v2 names exactly the certificates that are present, the signer's first.

    Each ESSCertIDv2 in it (RFC 5035, section 4) holds the SHA-256 of one certificate.
    """
    if value is None:
        return False
    try:
        identifiers = der.members(encoded, der.element(encoded, value.start, value.stop))
        named = [_named(encoded, one) for one in identifiers]
    except der.NotDer:
        return False
    return named[:1] == [leaf.sha256] and sorted(named) == sorted(one.sha256 for one in known)


def _named(encoded: bytes, identifier: der.Element) -> bytes:
    """Return the SHA-256 in an ESSCertIDv2; raises `NotDer` for another digest."""
    digest = der.element(encoded, identifier.start, identifier.stop)
    _expect(digest.tag == OCTETS)  # for another algorithm than SHA-256 an identifier precedes it
    return encoded[digest.start : digest.stop]


def _time_stamp(encoded: bytes, whole: der.Element) -> bytes | None:
    """Return the time-stamp token if it is the only unsigned attribute, else `None`."""
    attributes = der.members(encoded, whole)
    if len(attributes) != 1:
        return None
    name, values = _members(encoded, attributes[0], SEQUENCE, der.NAME, SET)
    inside = der.members(encoded, values)
    if encoded[name.at : name.stop] != TIME_STAMP_TOKEN or len(inside) != 1:
        return None
    return encoded[inside[0].at : inside[0].stop]


# -- foreign layouts -----------------------------------------------------------------------------


def _read_foreign(encoded: bytes) -> SignedData:
    content = asn1_cms.ContentInfo.load(encoded, strict=True)
    if content["content_type"].native != "signed_data":
        raise SignedDataUnreadable("not signed data")
    signed_data = content["content"]
    if len(signed_data["signer_infos"]) != 1 or len(signed_data["certificates"]) > CERTIFICATES_MAX:
        raise SignedDataUnreadable("not exactly one signer, or too many certificates")
    signer = signed_data["signer_infos"][0]
    certificates = [
        _load(choice.chosen.dump())
        for choice in signed_data["certificates"]
        if choice.name == "certificate"
    ]
    leaf = _foreign_leaf(certificates, signer["sid"])
    # The signed bytes are copied before the attributes are parsed, since the library would then encode them anew.  A
    # signature without signed attributes (adbe.pkcs7.sha1) cannot be checked here.
    has_attributes = bool(signer["signed_attrs"].contents)
    signed_bytes = bytes([SET]) + signer["signed_attrs"].dump()[1:] if has_attributes else b""
    attributes = _foreign_attributes(signer["signed_attrs"]) if has_attributes else {}
    digest = attributes.get("message_digest")
    return SignedData(
        leaf=leaf,
        others=tuple(other for other in certificates if other != leaf),
        digest_name=signer["digest_algorithm"]["algorithm"].native,
        message_digest=b"" if digest is None else digest.native,
        names_all=False,
        signed_bytes=signed_bytes,
        signature=signer["signature"].native,
        mechanism=_foreign_mechanism(signer),
        is_der=has_attributes and der.is_strict(encoded),
    )


def _foreign_leaf(
    certificates: list[x509.Certificate], sid: asn1_cms.SignerIdentifier
) -> x509.Certificate:
    for certificate in certificates:
        if sid.name == "subject_key_identifier":
            is_signer = _key_identifier(certificate) == sid.chosen.native
        else:
            issuer, number = sid.chosen["issuer"].dump(), sid.chosen["serial_number"].native
            is_signer = (certificate.serial_number, certificate.issuer.public_bytes()) == (
                number,
                issuer,
            )
        if is_signer:
            return certificate
    raise SignedDataUnreadable("the signer's certificate is missing")


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
    return found.value.digest


def _foreign_attributes(signed_attributes: asn1_cms.CMSAttributes) -> dict[str, asn1_cms.Any]:
    values = {}
    for attribute in signed_attributes:
        name = attribute["type"].native
        if name in values or len(attribute["values"]) != 1:
            raise SignedDataUnreadable(f"signed attribute {name} is not single")
        values[name] = attribute["values"][0]
    return values


def _foreign_mechanism(signer: asn1_cms.SignerInfo) -> str:
    """Return the name of the signature mechanism, such as `ecdsa`.

    Raises `SignedDataUnreadable` if the mechanism includes a digest algorithm other than that of the signer.
    """
    algorithm = signer["signature_algorithm"]
    mechanism: str = algorithm.signature_algo
    stated = algorithm["algorithm"].native.split("_")[0]
    if stated in _HASHES and stated != signer["digest_algorithm"]["algorithm"].native:
        raise SignedDataUnreadable("two different digests are named")
    return mechanism
