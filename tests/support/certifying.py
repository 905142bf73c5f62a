"""An authority that certifies the key of an issuer from its certificate request alone, as an outside one does."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from meterai.sealing import CHAIN_FILES
from meterai.sealing.signing.requests import key_usage, new_key

LIFE = timedelta(days=365)


def _authority(role: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Name]:
    key = new_key("p256")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Otoritas Contoh {role}")])


def certify(folder: Path, at: datetime) -> None:
    """Write the certificates for `seal.csr` beside it."""
    request = x509.load_pem_x509_csr((folder / "seal.csr").read_bytes())
    assert request.is_signature_valid
    root, root_name = _authority("Root")
    middle, middle_name = _authority("Intermediate")
    ca = [
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (key_usage(signs_certificates=True), True),
    ]
    asked = [(one.value, one.critical) for one in request.extensions]
    made = (
        (request.subject, request.public_key(), middle_name, middle, asked),
        (middle_name, middle.public_key(), root_name, root, ca),
        (root_name, root.public_key(), root_name, root, ca),
    )
    for file, (subject, public, issuer, signer, extensions) in zip(CHAIN_FILES, made, strict=True):
        draft = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(days=1))
            .not_valid_after(at + LIFE)
        )
        for extension, critical in extensions:
            draft = draft.add_extension(extension, critical=critical)
        signed = draft.sign(signer, hashes.SHA256())
        (folder / file).write_bytes(signed.public_bytes(Encoding.PEM))
