"""Keys and certificates of the authority: its own root and signer of time-stamps, and those of the
certificate authorities it answers for."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

from standins import clock

ROOT = "time_stamp_root"

_CLOCK_SKEW = timedelta(days=1)  # certificates are valid from this long before they are made
_ROOT_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=730)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and its certificate."""

    key: Key
    certificate: x509.Certificate

    @property
    def key_identifier(self) -> bytes:
        """SHA-1 of the public key (RFC 5280, section 4.2.1.2, method 1)."""
        return x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest


def own_root(directory: Path) -> Signer:
    """Return the root certificate of the time-stamps, made on the first call; only the owner can read its key file."""
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / f"{ROOT}.pem").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        draft = _draft(_name("Time-stamp Root"), key, _name("Time-stamp Root"), _ROOT_LIFE)
        certificate = (
            draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(directory, ROOT, Signer(key, certificate))
    return _load(directory / f"{ROOT}.pem")


def new_time_stamper(root: Signer, url: str) -> Signer:
    """Return a new key for time-stamps, whose certificate names its OCSP responder and revocation list."""
    key = ec.generate_private_key(ec.SECP256R1())
    ocsp = x509.UniformResourceIdentifier(f"{url}/ocsp")
    crl = x509.UniformResourceIdentifier(f"{url}/crl/{root.key_identifier.hex()}.crl")
    certificate = (
        _draft(_name("Time-stamp"), key, root.certificate.subject, _LIFE)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp)]
            ),
            critical=False,
        )
        .add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]),
            critical=False,
        )
        .sign(root.key, hashes.SHA256())
    )
    return Signer(key, certificate)


def new_responder(authority: Signer) -> Signer:
    """Return a new key that signs OCSP answers for an authority (RFC 6960, section 4.2.2.2)."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _draft(_name("OCSP Responder"), key, authority.certificate.subject, _LIFE)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Signer(key, certificate)


def authorities_in(directory: Path) -> list[Signer]:
    """Return the authorities whose certificate and key are both in the folder or a folder directly below it.

    Read at every call: the platform may make its certificates after this stand-in was started.
    """
    found = []
    for path in sorted([*directory.glob("*.pem"), *directory.glob("*/*.pem")]):
        if path.with_suffix(".key").exists():
            signer = _load(path)
            constraints = signer.certificate.extensions.get_extension_for_class(
                x509.BasicConstraints
            )
            if constraints.value.ca:
                found.append(signer)
    return found


def issued_by(authority: Signer, directory: Path) -> list[x509.Certificate]:
    """Return the certificates in the folder, or a folder directly below it, that this authority signed."""
    paths = sorted([*directory.glob("*.pem"), *directory.glob("*/*.pem")])
    certificates = [x509.load_pem_x509_certificate(path.read_bytes()) for path in paths]
    return [one for one in certificates if one.issuer == authority.certificate.subject]


def _load(path: Path) -> Signer:
    key = load_pem_private_key(path.with_suffix(".key").read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return Signer(key, x509.load_pem_x509_certificate(path.read_bytes()))


def _write(directory: Path, name: str, signer: Signer) -> None:
    pem = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # The certificate is written last, so that the key exists whenever the certificate does.
    for suffix, text, mode in (
        ("key", pem, 0o600),
        ("pem", signer.certificate.public_bytes(Encoding.PEM), 0o644),
    ):
        # Written to another name and renamed: a process that dies here leaves no incomplete file.
        aside = directory / f"{name}.{suffix}.new"
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(text)
        aside.rename(directory / f"{name}.{suffix}")


def _name(role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Stand-in authority SPECIMEN"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Stand-in {role} SPECIMEN"),
        ]
    )


def _draft(
    name: x509.Name, key: Key, issuer: x509.Name, life: timedelta
) -> x509.CertificateBuilder:
    start = now() - _CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def now() -> datetime:
    """Return the time of the stand-in, to the second."""
    return clock.wib(clock.now_ms()).replace(microsecond=0)
