"""Issuers for development: keys, and certificates that say SPECIMEN in their names."""

import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from meterai.sealing.signing.issuer import (
    CLAIM_KEY_FILE,
    DOCUMENT_SIGNING,
    INTERMEDIATE_FILE,
    KEY_FILE,
    LEAF_FILE,
    ROOT_FILE,
    Issuer,
)
from meterai.sealing.signing.issuers import (
    CLAIM_PUBLIC_FILE,
    CURRENT_FILE,
    Issuers,
    appoint,
    load_issuer,
    load_issuers,
)
from meterai.sealing.signing.keys import PrivateKey
from meterai.sealing.signing.requests import (
    Algorithm,
    key_usage,
    new_claim_key,
    new_key,
    private_pem,
    public_of,
)

_FIRST = "development-1"

_CLOCK_SKEW = timedelta(days=1)  # certificates are valid from so long before they are made
_AUTHORITY_LIFE = timedelta(days=3650)
_LEAF_LIFE = timedelta(days=730)
_PRIVATE = 0o600
_PUBLIC = 0o644


@dataclass(frozen=True, slots=True)
class _Named:
    key: PrivateKey
    certificate: x509.Certificate


def development_issuer(
    directory: Path,
    *,
    algorithm: Algorithm = "p256",
    at: datetime,
    authority_url: str | None = None,
) -> Issuer:
    """Return the issuer in the directory; it is created if the directory is missing or empty.

    The directory must be used for the issuer only.  A new one is written under another name and renamed, so it is
    never incomplete: of two concurrent processes one creates it and both load it.  `at` is the time at which new certificates
    are made.  `authority_url` is the address, named in the certificates, of a test server that answers whether they
    were revoked.
    """
    if not (directory / KEY_FILE).exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        draft = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
        draft.mkdir(mode=0o700)
        try:
            _write(draft, algorithm, at, authority_url)
            os.rename(draft, directory)
        except OSError:
            # Another process was first: a directory cannot be renamed to one that has files.
            shutil.rmtree(draft, ignore_errors=True)
    return load_issuer(directory)


def development_issuers(
    directory: Path,
    *,
    algorithm: Algorithm = "p256",
    at: datetime,
    authority_url: str | None = None,
) -> Issuers:
    """Return the issuers in the directory; an issuer is created if the directory is missing or empty.

    Arguments as for `development_issuer`.  Two concurrent processes load the same issuers.
    """
    if not (directory / CURRENT_FILE).exists() and not (directory / LEAF_FILE).exists():
        development_issuer(
            directory / _FIRST, algorithm=algorithm, at=at, authority_url=authority_url
        )
        appoint(directory, _FIRST)
    return load_issuers(directory)


def _write(directory: Path, algorithm: Algorithm, at: datetime, authority_url: str | None) -> None:
    root = _authority("Root CA", algorithm, at, None, None)
    intermediate = _authority("Intermediate CA", algorithm, at, root, authority_url)
    leaf = _leaf(algorithm, at, intermediate, authority_url)
    for named, key_file, certificate_file in (
        (root, "root.key", ROOT_FILE),
        (intermediate, "intermediate.key", INTERMEDIATE_FILE),
        (leaf, KEY_FILE, LEAF_FILE),
    ):
        _write_file(directory / key_file, private_pem(named.key), _PRIVATE)
        _write_file(
            directory / certificate_file, named.certificate.public_bytes(Encoding.PEM), _PUBLIC
        )
    claim_key = new_claim_key()
    _write_file(directory / CLAIM_KEY_FILE, claim_key, _PRIVATE)
    _write_file(directory / CLAIM_PUBLIC_FILE, public_of(claim_key), _PUBLIC)


def _write_file(path: Path, text: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)


def _name(role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Meterai development SPECIMEN"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Meterai development {role} SPECIMEN"),
        ]
    )


def _draft(
    name: x509.Name, key: PrivateKey, at: datetime, life: timedelta, signer: _Named | None
) -> x509.CertificateBuilder:
    start = at.replace(microsecond=0) - _CLOCK_SKEW
    authority_key = (signer.key if signer else key).public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer.certificate.subject if signer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), critical=False
        )
    )


def _with_addresses(
    draft: x509.CertificateBuilder, signer: _Named, authority_url: str | None
) -> x509.CertificateBuilder:
    """Add the addresses for revocation checks to a certificate.

    The file of a revocation list is named after the key that signs the list.
    """
    if authority_url is None:
        return draft
    key = x509.SubjectKeyIdentifier.from_public_key(signer.key.public_key()).digest.hex()
    ocsp = x509.UniformResourceIdentifier(f"{authority_url}/ocsp")
    crl = x509.UniformResourceIdentifier(f"{authority_url}/crl/{key}.crl")
    return draft.add_extension(
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp)]
        ),
        critical=False,
    ).add_extension(
        x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]),
        critical=False,
    )


def _authority(
    role: str,
    algorithm: Algorithm,
    at: datetime,
    signer: _Named | None,
    authority_url: str | None,
) -> _Named:
    key = new_key(algorithm)
    draft = (
        _draft(_name(role), key, at, _AUTHORITY_LIFE, signer)
        .add_extension(
            x509.BasicConstraints(ca=True, path_length=0 if signer else 1), critical=True
        )
        .add_extension(key_usage(signs_certificates=True), critical=True)
    )
    if signer is None:
        return _Named(key, draft.sign(key, hashes.SHA256()))
    return _Named(
        key, _with_addresses(draft, signer, authority_url).sign(signer.key, hashes.SHA256())
    )


def _leaf(algorithm: Algorithm, at: datetime, signer: _Named, authority_url: str | None) -> _Named:
    key = new_key(algorithm)
    draft = (
        _draft(_name("Seal"), key, at, _LEAF_LIFE, signer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_SIGNING]), critical=False)
    )
    return _Named(
        key, _with_addresses(draft, signer, authority_url).sign(signer.key, hashes.SHA256())
    )
