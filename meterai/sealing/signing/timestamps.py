"""Time-stamps (RFC 3161) over the signature value: their form in a seal, and their check.

A seal with a time-stamp is PAdES baseline B-T (ETSI EN 319 142-1, section 6.3): the token proves that the seal was made before
the time in the token, independent of our own clock.  The token is made after the signature, so the signature does not cover it.
But the signed bytes name the roots to which the token may lead, by their digests.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import algos, cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from meterai.sealing.signing import der
from meterai.sealing.signing.chains import chain_to
from meterai.sealing.signing.cms import CERTIFICATES_MAX, TIME_STAMP_BYTES_MAX
from meterai.sealing.signing.token_layout import Parts, canonical_token

ROOTS_MAX = 16  # their digests are in every seal; an authority has one or two

_NO_ROOT = "the token's certificate leads to no root that is trusted"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class TokenRefused(ValueError):
    """The token is not a time-stamp over this signature by a trusted authority."""


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """Verified content of a token: the signature existed at the time `at`.  `chain` has the authority's certificates."""

    at: datetime
    chain: tuple[x509.Certificate, ...]
    policy: str
    nonce: int | None


def root_digests(roots: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    """Return the SHA-256 of each root certificate, by which a seal names the roots of its time-stamp."""
    return tuple(one.fingerprint(hashes.SHA256()) for one in roots)


def taken_in(token: bytes, roots: Sequence[x509.Certificate]) -> bytes:
    """Convert the token of an authority to its canonical form in a seal (`token_layout`).  Refuses with `TokenRefused`.

    Unsigned optional parts are removed, and the root is added.  The token is not checked here; `check` does that.
    """
    try:
        signed_data = _signed_data(token)
        signer = signed_data["signer_infos"][0]
        certificates = _certificates(signed_data)
        chain = chain_to(_signer_certificate(signer, certificates), certificates, roots)
        if chain is None:
            raise TokenRefused(_NO_ROOT)
        return canonical_token(_parts(signed_data, signer), chain)
    except TokenRefused:
        raise
    # asn1crypto parses lazily and raises many kinds of exception.
    except Exception as cause:
        raise TokenRefused("the token cannot be read") from cause


def check(token: bytes, signature_value: bytes, named: Collection[bytes]) -> CheckedToken:
    """Check a token in a seal as RFC 3161, section 2.2 and RFC 5816 demand.  Refuses with `TokenRefused`.

    `named` are the SHA-256 of the accepted roots.  The checks are:

    (1) the token is in strict DER, and its content is a TSTInfo;
    (2) the imprint is that of the signature value;
    (3) the signed attributes name the content type, the digest and the signer's certificate;
    (4) the signature over the attributes is valid;
    (5) the signer's certificate is for time-stamping only (a critical extension) and leads to an accepted root
        in the token, and all these certificates were valid at the time in the token;
    (6) the token equals its canonical form (`token_layout`), byte for byte.
    """
    if len(token) > TIME_STAMP_BYTES_MAX or not der.is_strict(token):
        raise TokenRefused("the token is too large or not DER")
    try:
        return _check(token, signature_value, named)
    except TokenRefused:
        raise
    # asn1crypto parses lazily and raises many kinds of exception.
    except Exception as cause:
        raise TokenRefused("the token cannot be read") from cause


def _check(token: bytes, value: bytes, named: Collection[bytes]) -> CheckedToken:
    signed_data = _signed_data(token)
    content = signed_data["encap_content_info"]["content"]
    info = content.parsed
    _demand(info["version"].native == "v1", "the token is of another version")
    imprint = info["message_imprint"]
    name = imprint["hash_algorithm"]["algorithm"].native
    _demand(name in _HASHES, "the token uses another digest")
    _demand(
        hashlib.new(name, value).digest() == imprint["hashed_message"].native,
        "the digest in the token is of other data",
    )
    signer = signed_data["signer_infos"][0]
    certificates = _certificates(signed_data)
    leaf = _signer_certificate(signer, certificates)
    _check_attributes(signer, content.contents, leaf)
    _demand(_signature_holds(signer, leaf), "the token's signature does not hold")
    _demand(_is_for_time_stamps(leaf), "the token's certificate is not for time-stamps only")
    roots = [one for one in certificates if one.fingerprint(hashes.SHA256()) in named]
    chain = chain_to(leaf, certificates, roots)
    if chain is None:
        raise TokenRefused(_NO_ROOT)
    at: datetime = info["gen_time"].native
    valid = all(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in chain)
    _demand(valid, "the token's certificates were not valid when it was made")
    is_plain = token == canonical_token(_parts(signed_data, signer), chain)
    _demand(is_plain, "the token contains unsigned data")
    return CheckedToken(at, chain, info["policy"].native, info["nonce"].native)


def _demand(fact: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not fact:
        raise TokenRefused(otherwise)


def _signed_data(token: bytes) -> Any:
    content = cms.ContentInfo.load(token, strict=True)
    _demand(content["content_type"].native == "signed_data", "the token is not signed data")
    signed_data = content["content"]
    kind = signed_data["encap_content_info"]["content_type"].native
    _demand(kind == "tst_info", "the signed content is not a time-stamp")
    _demand(len(signed_data["signer_infos"]) == 1, "the token has not exactly one signer")
    _demand(len(signed_data["certificates"]) <= CERTIFICATES_MAX, "too many certificates")
    return signed_data


def _certificates(signed_data: Any) -> list[x509.Certificate]:
    return [
        x509.load_der_x509_certificate(choice.chosen.dump())
        for choice in signed_data["certificates"]
    ]


def _parts(signed_data: Any, signer: Any) -> Parts:
    return Parts(
        info=signed_data["encap_content_info"]["content"].contents,
        attributes=_signed_attributes(signer),
        digest=signer["digest_algorithm"]["algorithm"].native,
        signed_digest=_signed_digest(signer),
        signature=signer["signature"].native,
    )


def _signed_attributes(signer: Any) -> bytes:
    # RFC 5652, section 5.4: the attributes are signed with the tag of a SET instead of the implicit [0].
    return bytes([der.SET]) + bytes(signer["signed_attrs"].dump())[1:]


def _signer_certificate(signer: Any, certificates: list[x509.Certificate]) -> x509.Certificate:
    _demand(signer["sid"].name == "issuer_and_serial_number", "the signer is named in another form")
    sid = signer["sid"].chosen
    issuer, number = sid["issuer"].dump(), sid["serial_number"].native
    for one in certificates:
        if one.serial_number == number and one.issuer.public_bytes() == issuer:
            return one
    raise TokenRefused("the token's certificate is missing")


def _check_attributes(signer: Any, content: bytes, leaf: x509.Certificate) -> None:
    values: dict[str, Any] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        _demand(name not in values, "a signed attribute is there twice")
        _demand(len(attribute["values"]) == 1, "a signed attribute has several values")
        values[name] = attribute["values"][0]
    digest_name = signer["digest_algorithm"]["algorithm"].native
    _demand(digest_name in _HASHES, "the token uses another digest")
    _demand(values["content_type"].native == "tst_info", "the signed kind is another")
    digest = hashlib.new(digest_name, content).digest()
    _demand(values["message_digest"].native == digest, "the signed digest is another")
    named = values.get("signing_certificate_v2")
    if named is not None:
        first = named["certs"][0]
        algorithm = _HASHES.get(first["hash_algorithm"]["algorithm"].native)
        fits = algorithm is not None and first["cert_hash"].native == leaf.fingerprint(algorithm)
    else:
        # RFC 5816 allows the older attribute, in which a SHA-1 digest identifies the certificate.
        first = values["signing_certificate"]["certs"][0]
        fits = first["cert_hash"].native == leaf.fingerprint(hashes.SHA1())  # noqa: S303
    _demand(fits, "the token names another certificate")


def _signature_holds(signer: Any, leaf: x509.Certificate) -> bool:
    signed = _signed_attributes(signer)
    digest = _HASHES[_signed_digest(signer)]
    key, signature = leaf.public_key(), signer["signature"].native
    mechanism = signer["signature_algorithm"].signature_algo
    try:
        if isinstance(key, rsa.RSAPublicKey) and mechanism == "rsassa_pkcs1v15":
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and mechanism == "ecdsa":
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _signed_digest(signer: Any) -> str:
    """Return the digest algorithm that the signature algorithm includes, or if it includes none, that of the signer info."""
    algorithm: algos.SignedDigestAlgorithm = signer["signature_algorithm"]
    stated: str = algorithm["algorithm"].native.split("_")[0]
    name: str = signer["digest_algorithm"]["algorithm"].native
    return stated if stated in _HASHES else name


def _is_for_time_stamps(leaf: x509.Certificate) -> bool:
    """True if time-stamping is the only purpose of the certificate, by a critical extension (RFC 3161, section 2.3)."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return found.critical and list(found.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
