"""RSA keys for tests, made once in each process, since making a key takes longer than most tests."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.plumbing.keyring import RSA_BITS

OUR_KEY = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
BANK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    """A private key in the format of keyrings and the stand-in bank (PKCS #8, PEM)."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem_of(key: rsa.RSAPrivateKey) -> bytes:
    """The public half of the key, in the format in which each side gives it to the other."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def give_provider_key(directory: Path) -> Path:
    """Write our key into the folder of keys of a data directory, and return that folder."""
    keys = directory / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    (keys / "provider.key.pem").write_bytes(pem_of(OUR_KEY))
    return keys
