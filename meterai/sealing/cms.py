"""The signature container (CMS, RFC 5652) of a seal: written from a template, read with suspicion.

Written for one issuer, everything but two values is known beforehand: the digest of the document
and the signature itself.  So the container is laid out once per issuer, and a seal costs one
private-key operation.  Signed attributes are those of PAdES baseline B-B (ETSI EN 319 142-1,
section 6.3): content type, message digest, signing certificate v2.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import cms as asn1_cms  # type: ignore[import-untyped]
from asn1crypto import parser as asn1_parser
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CERTIFICATES_MAX = 20  # in one container; a chain has three, a verifier must not parse thousands

_DATA = bytes.fromhex("06092a864886f70d010701")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
_SHA256_WITH_ECDSA = bytes.fromhex("300a06082a8648ce3d040302")

_SEQUENCE, _SET, _INTEGER, _OCTETS, _CONTEXT_0, _CONTEXT_4 = 0x30, 0x31, 0x02, 0x04, 0xA0, 0xA4
_ECDSA_P256_BYTES_MAX = 72  # two integers of 33 bytes and their headers


def _tlv(tag: int, *values: bytes) -> bytes:
    """One DER element around the values."""
    value = b"".join(values)
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value


class Layout:
    """How our containers are laid out for one chain of certificates, signer's first."""

    def __init__(self, chain: Sequence[x509.Certificate]) -> None:
        encoded = [certificate.public_bytes(Encoding.DER) for certificate in chain]
        number = chain[0].serial_number
        issuer = chain[0].issuer.public_bytes()
        serial = _tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))
        general_names = _tlv(_SEQUENCE, _tlv(_CONTEXT_4, issuer))
        # RFC 5035: SHA-256 is the default and must then be left out of ESSCertIDv2 in DER.
        certificate_id = _tlv(
            _SEQUENCE,
            _tlv(_OCTETS, hashlib.sha256(encoded[0]).digest()),
            _tlv(_SEQUENCE, general_names, serial),
        )
        self._certificate_attribute = _tlv(
            _SEQUENCE,
            _SIGNING_CERTIFICATE_V2,
            _tlv(_SET, _tlv(_SEQUENCE, _tlv(_SEQUENCE, certificate_id))),
        )
        self._type_attribute = _tlv(_SEQUENCE, _CONTENT_TYPE, _tlv(_SET, _DATA))
        self._signer = _tlv(_INTEGER, b"\x01") + _tlv(_SEQUENCE, issuer, serial) + _SHA256
        is_rsa = isinstance(chain[0].public_key(), rsa.RSAPublicKey)
        self._algorithm = _SHA256_WITH_RSA if is_rsa else _SHA256_WITH_ECDSA
        self._head = (
            _tlv(_INTEGER, b"\x01")
            + _tlv(_SET, _SHA256)
            + _tlv(_SEQUENCE, _DATA)
            + _tlv(_CONTEXT_0, b"".join(sorted(encoded)))
        )

    def attributes(self, digest: bytes) -> bytes:
        """The signed attributes, as the SET that is signed."""
        digest_attribute = _tlv(_SEQUENCE, _MESSAGE_DIGEST, _tlv(_SET, _tlv(_OCTETS, digest)))
        # DER orders the members of a SET by their encoding.
        members = sorted([self._type_attribute, digest_attribute, self._certificate_attribute])
        return _tlv(_SET, *members)

    def container(self, attributes: bytes, signature: bytes) -> bytes:
        """The container around signed attributes and their signature."""
        signer_info = _tlv(
            _SEQUENCE,
            self._signer,
            bytes([_CONTEXT_0]) + attributes[1:],
            self._algorithm,
            _tlv(_OCTETS, signature),
        )
        signed_data = _tlv(_SEQUENCE, self._head, _tlv(_SET, signer_info))
        return _tlv(_SEQUENCE, _SIGNED_DATA, _tlv(_CONTEXT_0, signed_data))


class Container:
    """Makes the containers of one signer.  Safe to use from several threads."""

    def __init__(self, key: PrivateKey, chain: Sequence[x509.Certificate]) -> None:
        self._key = key
        self._layout = Layout(chain)
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        signature = bytes(key.key_size // 8 if is_rsa else _ECDSA_P256_BYTES_MAX)
        self.bytes_max = len(self._layout.container(self._layout.attributes(bytes(32)), signature))

    def sign(self, digest: bytes) -> bytes:
        """The container over a document with this SHA-256 digest."""
        attributes = self._layout.attributes(digest)
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(attributes, padding.PKCS1v15(), hashes.SHA256())
        else:
            signature = self._key.sign(attributes, ec.ECDSA(hashes.SHA256()))
        return self._layout.container(attributes, signature)


class ContainerUnreadable(ValueError):
    """Not a container with exactly one signer that we can take apart."""


@dataclass(frozen=True, slots=True)
class ReadContainer:
    """One container, taken apart.  Nothing in it is proven yet."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    digest_name: str
    message_digest: bytes
    names_leaf: bool  # signing-certificate-v2 holds the SHA-256 of `leaf`
    signed_bytes: bytes
    signature: bytes
    mechanism: str

    def is_laid_out_as_ours(self, encoded: bytes) -> bool:
        """True if `encoded`, which this was read from, holds nothing beside what we put there.

        The signature covers neither the frame nor the certificates; this does.
        """
        layout = Layout((self.leaf, *self.others))
        return encoded == layout.container(self.signed_bytes, self.signature)

    def signature_holds(self) -> bool:
        """True if the leaf's key made the signature over the signed attributes."""
        key = self.leaf.public_key()
        try:
            digest = _HASHES[self.digest_name]
            if isinstance(key, rsa.RSAPublicKey) and self.mechanism == "rsassa_pkcs1v15":
                key.verify(self.signature, self.signed_bytes, padding.PKCS1v15(), digest)
            elif isinstance(key, ec.EllipticCurvePublicKey) and self.mechanism == "ecdsa":
                key.verify(self.signature, self.signed_bytes, ec.ECDSA(digest))
            else:
                return False
        except (InvalidSignature, KeyError):
            return False
        return True


_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def der_length(text: bytes) -> int:
    """The length of the DER element at the start, header included; `ContainerUnreadable` if none."""
    try:
        element = asn1_parser.parse(text, strict=False)
    except ValueError as cause:
        raise ContainerUnreadable("no DER element") from cause
    return sum(len(part) for part in element[3:6])


def read(encoded: bytes) -> ReadContainer:
    """Take a container apart; refuses with `ContainerUnreadable`."""
    try:
        return _read(encoded)
    # asn1crypto parses lazily and raises whatever the malformed part provokes.
    except Exception as cause:
        raise ContainerUnreadable("the signature container cannot be read") from cause


def _read(encoded: bytes) -> ReadContainer:
    content = asn1_cms.ContentInfo.load(encoded)
    if content["content_type"].native != "signed_data":
        raise ContainerUnreadable("not signed data")
    signed_data = content["content"]
    if len(signed_data["signer_infos"]) != 1 or len(signed_data["certificates"]) > CERTIFICATES_MAX:
        raise ContainerUnreadable("not exactly one signer, or too many certificates")
    if signed_data["encap_content_info"]["content_type"].native != "data":
        raise ContainerUnreadable("not a signature over a document")
    signer = signed_data["signer_infos"][0]
    certificates = [
        x509.load_der_x509_certificate(choice.chosen.dump())
        for choice in signed_data["certificates"]
        if choice.name == "certificate"
    ]
    leaf = _leaf(certificates, signer["sid"])
    # RFC 5652, section 5.4: signed with the tag of a SET instead of the implicit [0].  The bytes are
    # taken before the attributes are parsed, as they came: the library would encode them anew.
    signed_bytes = bytes([_SET]) + signer["signed_attrs"].dump()[1:]
    attributes = _attributes(signer["signed_attrs"])
    return ReadContainer(
        leaf=leaf,
        others=tuple(other for other in certificates if other != leaf),
        digest_name=signer["digest_algorithm"]["algorithm"].native,
        message_digest=attributes["message_digest"].native,
        names_leaf=_names(attributes.get("signing_certificate_v2"), leaf),
        signed_bytes=signed_bytes,
        signature=signer["signature"].native,
        mechanism=_mechanism(signer),
    )


def _leaf(certificates: list[x509.Certificate], sid: asn1_cms.SignerIdentifier) -> x509.Certificate:
    if sid.name != "issuer_and_serial_number":
        raise ContainerUnreadable("the signer is not named by issuer and serial number")
    issuer, number = sid.chosen["issuer"].dump(), sid.chosen["serial_number"].native
    for certificate in certificates:
        if certificate.serial_number == number and certificate.issuer.public_bytes() == issuer:
            return certificate
    raise ContainerUnreadable("the signer's certificate is missing")


def _attributes(signed_attributes: asn1_cms.CMSAttributes) -> dict[str, asn1_cms.Any]:
    """The single value of each signed attribute; an attribute twice is an attack, not a habit."""
    values = {}
    for attribute in signed_attributes:
        name = attribute["type"].native
        if name in values or len(attribute["values"]) != 1:
            raise ContainerUnreadable(f"signed attribute {name} is not single")
        values[name] = attribute["values"][0]
    if values["content_type"].native != "data":
        raise ContainerUnreadable("the signed content type is not data")
    return values


def _names(attribute: asn1_cms.Any | None, leaf: x509.Certificate) -> bool:
    if attribute is None:
        return False
    first = attribute["certs"][0]
    is_sha256: bool = first["hash_algorithm"]["algorithm"].native == "sha256"
    cert_hash: bytes = first["cert_hash"].native
    return is_sha256 and cert_hash == leaf.fingerprint(hashes.SHA256())


def _mechanism(signer: asn1_cms.SignerInfo) -> str:
    """`rsassa_pkcs1v15`, `ecdsa` or another name; the digest in it must be the signer's digest."""
    algorithm = signer["signature_algorithm"]
    mechanism: str = algorithm.signature_algo
    stated = algorithm["algorithm"].native.split("_")[0]
    if stated in _HASHES and stated != signer["digest_algorithm"]["algorithm"].native:
        raise ContainerUnreadable("two different digests are named")
    return mechanism
