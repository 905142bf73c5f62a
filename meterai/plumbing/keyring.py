"""Secrets of one instance, as files under DIR/keys that only their owner can read.

In development missing keys are created at the first start.  In production a missing key is an error: an operator
created it on purpose, and a new one would make old codes and documents unreadable.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from meterai.kit.refusal import CommandRefusal
from meterai.plumbing.config import Settings
from meterai.plumbing.files import read_key_file

INSTANCE_KEY = "instance.key"
SECRET_BYTES = 32
RSA_BITS = 2048  # SNAP BI asks for at least 2048


class KeyMissing(CommandRefusal):
    """A required key does not exist, and may not be created automatically."""

    code = "key_missing"
    status = 500

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is missing")
        self.path = str(path)


class KeyUnusable(CommandRefusal):
    """A key file cannot be read, or has no valid content."""

    code = "key_unusable"
    status = 500

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason


def _read(path: Path) -> bytes:
    try:
        return read_key_file(path)
    except OSError as error:
        raise KeyUnusable(path, error.strerror or "unreadable") from None


def read_public_key(path: Path) -> rsa.RSAPublicKey:
    """Read an RSA public key in PEM. Refuses `KeyMissing`, `KeyUnusable`."""
    if not path.exists():
        raise KeyMissing(path)
    try:
        key = serialization.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(path, "not a public key in PEM") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyUnusable(path, "not an RSA key")
    return key


def write_once(path: Path, content: bytes) -> bytes:
    """Create a file that only its owner can read, unless it exists; return the content that it then has.

    Two processes may start together: creating the hard link succeeds for only one of them, and both read its file.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        draft.unlink()
    return content


def new_secret() -> bytes:
    """Return random bytes for a new key."""
    return secrets.token_bytes(SECRET_BYTES)


class Keyring:
    """The keys of one instance, as files of a folder. `may_make` allows missing keys to be created."""

    def __init__(self, directory: Path, *, may_make: bool) -> None:
        self.directory = directory / "keys"
        self._may_make = may_make
        self._instance = self.secret(INSTANCE_KEY)

    def secret(self, name: str) -> bytes:
        """Return the 32 random bytes in the file of this name. Refuses `KeyMissing`, `KeyUnusable`."""
        path = self.directory / name
        if path.exists():
            return _read(path)
        if not self._may_make:
            raise KeyMissing(path)
        return write_once(path, new_secret())

    def derived(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose, derived from the instance key (HMAC-SHA256)."""
        return hmac.digest(self._instance, purpose.encode(), hashlib.sha256)

    def rsa_key(self, name: str) -> rsa.RSAPrivateKey:
        """Return the RSA key in the PEM file of this name. Refuses `KeyMissing`, `KeyUnusable`."""
        path = self.directory / name
        if not path.exists():
            if not self._may_make:
                raise KeyMissing(path)
            write_once(path, new_rsa_key())
        return read_rsa_key(path)


def new_rsa_key() -> bytes:
    """Create a new RSA key, in PEM."""
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def read_rsa_key(path: Path) -> rsa.RSAPrivateKey:
    """Read an RSA private key in PEM. Refuses `KeyUnusable`."""
    try:
        key = serialization.load_pem_private_key(_read(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable(path, "not a private key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyUnusable(path, "not an RSA key")
    return key


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    """Return the public part of a key, in PEM."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def keyring_of(settings: Settings) -> Keyring:
    """Return the keys of the instance; outside production missing ones are created."""
    return Keyring(settings.process.directory, may_make=not settings.process.is_production)
