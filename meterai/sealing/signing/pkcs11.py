"""Seal key inside a hardware security module, reached through PKCS #11 (OASIS, version 2.40).

Only one thread at a time may use a session, so there is a small pool of sessions.  A signing thread takes a session from
the pool and returns it.  After an error the log-in is renewed once; if that fails too, the key is unusable.
"""

import ctypes
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Lock
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from meterai.plumbing.files import read_settings_file
from meterai.plumbing.toml import read_toml
from meterai.sealing.model import IssuerUnusable
from meterai.sealing.signing.ecdsa import lowered
from meterai.sealing.signing.keys import KeyAlgorithm, PublicKey, algorithm_of

SESSIONS_MAX = 8  # open at once for one key; modules allow few, two cores need few
SESSION_WAIT_SECONDS = 10.0  # longest wait for a session; then the key counts as unusable

MODULE_FILE = "pkcs11.toml"

_OS_LOCKING_OK = 2  # CKF_OS_LOCKING_OK: the module locks by means of the system
_OK = 0  # CKR_OK
_NOT_STARTED = "not initialized"  # in the text of an error of the binding that has no own class
_P256_NUMBER_BYTES = 32
_PROOF = b"meterai: does this key belong to the certificate?"


@dataclass(frozen=True, slots=True)
class Pkcs11Settings:
    """Location of a key: the module (path of a shared library), the label of the token, and the label or id of the key.

    The PIN is in a separate file, so that it appears in no other setting and in no listing of processes.
    """

    module: Path
    token: str
    label: str | None
    id: bytes | None
    pin_file: Path


def read_settings(path: Path) -> Pkcs11Settings:
    """Read the settings in a TOML file; refuses with `IssuerUnusable`.

    A relative `pin_file` is relative to the directory of the file.  `id` is hexadecimal.  One of `label` and `id` may be
    omitted.
    """
    try:
        found = read_toml(read_settings_file(path))
        return Pkcs11Settings(
            module=Path(_text(found, "module")),
            token=_text(found, "token"),
            label=_text(found, "label") if "label" in found else None,
            id=bytes.fromhex(_text(found, "id")) if "id" in found or "label" not in found else None,
            pin_file=path.parent / _text(found, "pin_file"),
        )
    except (OSError, ValueError, KeyError) as cause:
        raise IssuerUnusable(f"{path.name} is missing or does not say where the key is") from cause


def _text(found: dict[str, Any], name: str) -> str:
    value = found[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is not a text")
    return value


class _InitializeArgs(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (PKCS #11) without locking functions, so that the module uses those of the system."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


_starting = Lock()
_started: set[Path] = set()


def start(module: Path, *, again: bool = False) -> None:
    """Initialize the module for use by several threads: once in a process, or again if `again` is true.

    The binding initializes the module with the promise that only one thread calls it.  The module then does not lock, and
    several threads would corrupt its state.  Therefore the module is finalized and initialized anew before the first session.
    Refuses with `IssuerUnusable` if threads cannot share the module.
    """
    with _starting:
        if module in _started and not again:
            return
        library = ctypes.CDLL(str(module))
        library.C_Finalize(None)
        arguments = _InitializeArgs(flags=_OS_LOCKING_OK)
        answer = library.C_Initialize(ctypes.byref(arguments))
        if answer != _OK:
            raise IssuerUnusable(f"the module does not start for several threads ({answer:#x})")
        _started.add(module)


@dataclass(slots=True)
class _Session:
    """An open session, and the handle of the key in it."""

    session: Any
    key: Any


@dataclass(slots=True)
class _Login:
    """A log-in to the token.  It lasts as long as one of its sessions is open, so the session `first` is kept open."""

    token: Any
    first: Any
    idle: LifoQueue[_Session] = field(default_factory=LifoQueue)


class Pkcs11Key:
    """Private key in a security module, for the given public key.  Thread-safe.

    The public key comes from the certificate, because many modules store none.  When the object is made, a signature proves
    that the two keys belong together.  Refuses with `IssuerUnusable` if the module, the token or the key is missing, the PIN is
    wrong, or the private key belongs to another public key.
    """

    def __init__(self, settings: Pkcs11Settings, public: PublicKey) -> None:
        self.algorithm: KeyAlgorithm = algorithm_of(public)
        self._settings = settings
        self._public = public
        self._pkcs11 = _library()
        self._changing = Lock()
        self._slots = BoundedSemaphore(SESSIONS_MAX)
        self._login: _Login | None = None
        self._wrong_pin: str | None = None
        self._prove()

    def public_key(self) -> PublicKey:
        """Return the public key."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature over SHA-256 of the message, made in the module.

        Refuses with `IssuerUnusable` if the module does not sign, even after a new log-in.
        """
        login = self._logged_in()
        try:
            return self._sign_with(login, message)
        # Sessions end when the module restarts or the network breaks, and the error then depends on the module.  So one new
        # log-in is tried after any error.
        except self._pkcs11.PKCS11Error:
            login = self._logged_in(instead_of=login)
        try:
            return self._sign_with(login, message)
        except self._pkcs11.PKCS11Error as cause:
            raise _out_of_reach(cause) from cause

    def close(self) -> None:
        """Close all sessions that are not in use.  A later signature logs in anew."""
        with self._changing:
            if self._login is not None:
                self._abandon(self._login)
                self._login = None

    def _prove(self) -> None:
        signature = self.sign(_PROOF)
        try:
            if isinstance(self._public, rsa.RSAPublicKey):
                self._public.verify(signature, _PROOF, padding.PKCS1v15(), hashes.SHA256())
            else:
                self._public.verify(signature, _PROOF, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as cause:
            self.close()
            raise IssuerUnusable("the key does not belong to the certificate") from cause

    def _sign_with(self, login: _Login, message: bytes) -> bytes:
        with self._session(login) as found:
            mechanism = self._pkcs11.Mechanism
            if self.algorithm == "rsa":
                signed: bytes = found.key.sign(message, mechanism=mechanism.SHA256_RSA_PKCS)
                return signed
            # The digest is computed here, because many modules support ECDSA only without hashing.
            raw = found.key.sign(hashlib.sha256(message).digest(), mechanism=mechanism.ECDSA)
        r, s = raw[:_P256_NUMBER_BYTES], raw[_P256_NUMBER_BYTES:]
        signature = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        return lowered(signature, ec.SECP256R1())

    @contextmanager
    def _session(self, login: _Login) -> Iterator[_Session]:
        """Yield a session for one signature.  After an error the session is closed, else it is returned to the pool."""
        if not self._slots.acquire(timeout=SESSION_WAIT_SECONDS):
            raise IssuerUnusable(
                f"no session of the module became free in {SESSION_WAIT_SECONDS} s"
            )
        try:
            try:
                found = login.idle.get_nowait()
            except Empty:
                found = self._open(login)
            try:
                yield found
            except BaseException:
                self._close(found.session)
                raise
            if login is self._login:
                login.idle.put(found)
            else:
                self._close(found.session)
        finally:
            self._slots.release()

    def _open(self, login: _Login) -> _Session:
        # The log-in belongs to the token, not to a session, so no other session needs the PIN.
        session = login.token.open()
        try:
            return _Session(session, self._find_key(session))
        except BaseException:
            self._close(session)
            raise

    def _find_key(self, session: Any) -> Any:
        return session.get_key(
            object_class=self._pkcs11.ObjectClass.PRIVATE_KEY,
            label=self._settings.label,
            id=self._settings.id,
        )

    def _logged_in(self, instead_of: _Login | None = None) -> _Login:
        """Return the current log-in; log in anew if there is none or if it is `instead_of`, a log-in that failed."""
        with self._changing:
            if self._login is None or self._login is instead_of:
                if self._login is not None:
                    self._abandon(self._login)
                    self._login = None
                self._login = self._log_in()
            return self._login

    def _log_in(self) -> _Login:
        try:
            pin = read_settings_file(self._settings.pin_file).strip()
        except (OSError, UnicodeDecodeError) as cause:
            raise IssuerUnusable("the file with the PIN cannot be read") from cause
        # A module locks the key after a few wrong PINs, so a PIN that was refused is not sent again.
        if pin == self._wrong_pin:
            raise IssuerUnusable("the security module refused the PIN before")
        try:
            return self._log_in_with(pin)
        except (self._pkcs11.PinIncorrect, self._pkcs11.PinLocked) as cause:
            self._wrong_pin = pin
            raise _out_of_reach(cause) from cause
        except (OSError, RuntimeError) as cause:
            raise _out_of_reach(cause) from cause

    def _log_in_with(self, pin: str) -> _Login:
        library = self._pkcs11.lib(str(self._settings.module))
        start(self._settings.module)
        try:
            token = library.get_token(token_label=self._settings.token)
        except self._pkcs11.PKCS11Error as cause:
            if _NOT_STARTED not in str(cause):
                raise
            # Other code in this process finalized the module, or this process was forked since.
            start(self._settings.module, again=True)
            token = library.get_token(token_label=self._settings.token)
        try:
            first = token.open(user_pin=pin)
        except self._pkcs11.UserAlreadyLoggedIn:
            # Another key of this process uses the same token; its log-in is valid for this key too.
            first = token.open()
        try:
            self._find_key(first)
        except BaseException:
            self._close(first)
            raise
        return _Login(token, first)

    def _abandon(self, login: _Login) -> None:
        while True:
            try:
                self._close(login.idle.get_nowait().session)
            except Empty:
                break
        self._close(login.first)

    def _close(self, session: Any) -> None:
        try:
            session.close()
        # The session may have ended already; the error for that depends on the module.
        except self._pkcs11.PKCS11Error:
            return


def _library() -> Any:
    """Import the optional binding: `pip install meterai[pkcs11]`."""
    try:
        return import_module("pkcs11")
    except ImportError as cause:
        raise IssuerUnusable("the package for PKCS #11 is not installed") from cause


def _out_of_reach(cause: BaseException) -> IssuerUnusable:
    words = f": {cause}" if str(cause) else ""
    return IssuerUnusable(f"the security module does not sign ({type(cause).__name__}{words})")
