"""Seal keys: in a file and in a security module (SoftHSM, a real module without the hardware)."""

import ctypes
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meterai.sealing.model import IssuerUnusable
from meterai.sealing.signing import cms
from meterai.sealing.signing.development import development_issuer
from meterai.sealing.signing.ecdsa import is_low
from meterai.sealing.signing.issuers import load_issuer
from meterai.sealing.signing.keys import SealKey, load_file_key
from meterai.sealing.signing.pkcs11 import Pkcs11Key, read_settings

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
)
PIN = "4711-Gb"
THREADS = 8
SIGNATURES = 40  # per thread


def assert_signed(key: SealKey, message: bytes, signature: bytes) -> None:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    else:
        public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        assert is_low(signature, public.curve)


def sign_at_once(key: SealKey) -> None:
    """Sign in several threads at once, and check every signature."""

    def sign(thread: int) -> None:
        for number in range(SIGNATURES):
            message = f"{thread} {number}".encode()
            assert_signed(key, message, key.sign(message))

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(sign, range(THREADS))) == [None] * THREADS


def pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "p256"),
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "rsa"),
        (rsa.generate_private_key(public_exponent=65537, key_size=3072), "rsa"),
    ],
)
def test_file_key_signs(tmp_path, key, algorithm):
    (tmp_path / "seal.key").write_bytes(pem(key))
    loaded = load_file_key(tmp_path / "seal.key")
    assert loaded.algorithm == algorithm
    assert loaded.public_key() == key.public_key()
    sign_at_once(loaded)


def test_mismatched_key_pair_is_refused(tmp_path):
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
    mixed = rsa.RSAPrivateNumbers(
        made.p, made.q, made.d, made.dmp1 - 2, made.dmq1, made.iqmp, made.public_numbers
    )
    spoilt = mixed.private_key(unsafe_skip_rsa_key_validation=True)
    (tmp_path / "seal.key").write_bytes(pem(spoilt))
    with pytest.raises(IssuerUnusable):
        load_file_key(tmp_path / "seal.key")


# -- the security module ------------------------------------------------------------------------


class Module:
    """SoftHSM with one token of our own, in a directory of the test."""

    def __init__(self, library: Path, directory: Path) -> None:
        self.library = library
        self.directory = directory
        self.pin_file = directory / "pin"
        self.pin_file.write_text(f"{PIN}\n")

    def run(self, *arguments: str) -> None:
        subprocess.run(
            ["softhsm2-util", *arguments], check=True, capture_output=True, text=True, timeout=60
        )

    def ingest(self, key_file: Path, label: str, number: str) -> None:
        self.run(
            *("--import", str(key_file), "--token", "meterai", "--pin", PIN),
            *("--label", label, "--id", number),
        )

    def settings(self, directory: Path, **changes: str) -> Path:
        """Write `pkcs11.toml` into the directory; an empty text omits the line."""
        found = {
            "module": str(self.library),
            "token": "meterai",
            "label": "seal",
            "pin_file": str(self.pin_file),
        } | changes
        path = directory / "pkcs11.toml"
        path.write_text("".join(f'{name} = "{text}"\n' for name, text in found.items() if text))
        return path


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    library = next((Path(path) for path in MODULES if Path(path).exists()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM is not on this machine; scripts/softhsm installs it")
    pytest.importorskip("pkcs11", reason="the extra meterai[pkcs11] is not installed")
    directory = tmp_path_factory.mktemp("softhsm")
    (directory / "tokens").mkdir()
    settings = directory / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {directory / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        made = Module(library, directory)
        made.run("--init-token", "--free", "--label", "meterai", "--pin", PIN, "--so-pin", PIN)
        yield made


@pytest.fixture(scope="module", params=["p256", "rsa2048"])
def hardware(request, module, tmp_path_factory):
    """Directory of an issuer whose key is in the module only, its id, and its label."""
    directory = tmp_path_factory.mktemp("hardware") / "issuer"
    development_issuer(directory, algorithm=request.param, at=AT)
    number = {"p256": "a1", "rsa2048": "a2"}[request.param]
    module.ingest(directory / "seal.key", request.param, number)
    (directory / "seal.key").unlink()
    return directory, number, request.param


def test_issuer_seals_with_key_in_module(module, hardware):
    directory, number, label = hardware
    for changes in ({"label": label}, {"label": "", "id": number}, {"label": label, "id": number}):
        module.settings(directory, **changes)
        issuer = load_issuer(directory)
        issuer.check_usable(AT)
        encoded = issuer.sign(bytes(32))
        read = cms.read(encoded)
        assert read.signature_holds
        assert read.is_laid_out_as_ours(encoded)
        assert len(encoded) <= issuer.signed_data_bytes_max


def module_key(module: Module, hardware) -> Pkcs11Key:
    directory, _, label = hardware
    settings = read_settings(module.settings(directory, label=label))
    issuer_public = load_issuer(directory).chain[0].public_key()
    assert isinstance(issuer_public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return Pkcs11Key(settings, issuer_public)


def test_lost_sessions_are_opened_again(module, hardware):
    key = module_key(module, hardware)
    key.sign(b"before")
    # As after a restart of the module: every session and the log-in are gone.
    assert ctypes.CDLL(str(module.library)).C_Finalize(None) == 0
    assert_signed(key, b"after", key.sign(b"after"))
    sign_at_once(key)


def test_wrong_pin_is_not_tried_twice(module, hardware):
    """A module locks the key after a few wrong PINs."""
    key = module_key(module, hardware)
    assert ctypes.CDLL(str(module.library)).C_Finalize(None) == 0
    module.pin_file.write_text("0000")
    try:
        for reason in ("PinIncorrect", "refused the PIN before", "refused the PIN before"):
            with pytest.raises(IssuerUnusable, match=reason):
                key.sign(b"x")
    finally:
        module.pin_file.write_text(f"{PIN}\n")
    # The operator corrected the file; no restart is needed.
    assert_signed(key, b"x", key.sign(b"x"))


def test_key_of_another_certificate_is_refused(module, hardware, tmp_path):
    _, _, label = hardware
    development_issuer(tmp_path / "other", algorithm=label, at=AT)
    (tmp_path / "other" / "seal.key").unlink()
    module.settings(tmp_path / "other", label=label)
    with pytest.raises(IssuerUnusable, match="belong"):
        load_issuer(tmp_path / "other")
