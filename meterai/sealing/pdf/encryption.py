"""Encryption and decryption of strings and streams of an encrypted document (ISO 32000-2, section 7.6).

qpdf derives the file's key from the password, since it supports every revision of the standard handler.  Data are encrypted and
decrypted here with that key, since the objects of an update must be encrypted too.
"""

import hashlib
import hmac
from enum import Enum, auto
from io import BytesIO
from typing import NamedTuple

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes

from meterai.sealing.model import DocumentBroken, DocumentEncrypted
from meterai.sealing.pdf.syntax import Dictionary, Ref

DICTIONARY_BYTES_MAX = 16_384  # of `/Encrypt`; one with crypt filters has 600

_BLOCK_BYTES = 16
_AES_SALT = b"sAlT"  # ISO 32000-2, algorithm 1, step b
_KEY_BYTES_MAX = 16  # of the key derived for one object
_PASSWORD_ALONE = 5  # from this revision on the key depends on the password only
_OF_OWNER = {
    b"/O": 48,
    b"/OE": 32,
}  # bytes of the values derived from the owner's password (table 21)
_IDENTITY = "/Identity"  # the crypt filter that leaves data unchanged
_CRYPT_FILTERS = 4  # from this version of `/Encrypt` on a document names its methods


class CryptMethod(Enum):
    """Encryption method of a kind of data."""

    NONE = auto()
    RC4 = auto()
    AES_128 = auto()
    AES_256 = auto()


class Cipher:
    """Key of one document, and the encryption methods of its strings and streams."""

    def __init__(
        self, key: bytes, strings: CryptMethod, streams: CryptMethod, revision: int
    ) -> None:
        self._key = key
        self.depends_on_identifier = revision < _PASSWORD_ALONE
        self._strings, self._streams = strings, streams

    def encrypt_string(self, owner: Ref, text: bytes) -> bytes:
        """Encrypt a string of the object `owner`."""
        return self._encrypt(self._strings, owner, text)

    def encrypt_stream(self, owner: Ref, data: bytes) -> bytes:
        """Encrypt the encoded data of the stream object `owner`."""
        return self._encrypt(self._streams, owner, data)

    def decrypt_string(self, owner: Ref, text: bytes) -> bytes:
        """Decrypt a string of the object `owner`."""
        return self._decrypt(self._strings, owner, text)

    def decrypt_stream(self, owner: Ref, data: bytes) -> bytes:
        """Decrypt the data of the stream object `owner`; the result is still encoded by its filter."""
        return self._decrypt(self._streams, owner, data)

    def _object_key(self, method: CryptMethod, owner: Ref) -> bytes:
        if method is CryptMethod.AES_256:
            return self._key
        number = owner.number.to_bytes(3, "little") + owner.generation.to_bytes(2, "little")
        salt = _AES_SALT if method is CryptMethod.AES_128 else b""
        # The standard prescribes MD5 here (algorithm 1).
        digest = hashlib.md5(self._key + number + salt, usedforsecurity=False).digest()
        return digest[: min(len(self._key) + 5, _KEY_BYTES_MAX)]

    def _encrypt(self, method: CryptMethod, owner: Ref, data: bytes) -> bytes:
        if method is CryptMethod.NONE:
            return data
        key = self._object_key(method, owner)
        if method is CryptMethod.RC4:
            return _rc4(key, data)
        padder = padding.PKCS7(_BLOCK_BYTES * 8).padder()
        # The initialization vector is derived from key and data, so that the same update is encrypted to the same bytes.
        start = hmac.digest(key, b"%d %d " % owner + data, "sha256")[:_BLOCK_BYTES]
        engine = BlockCipher(algorithms.AES(key), modes.CBC(start)).encryptor()
        padded = padder.update(data) + padder.finalize()
        return start + engine.update(padded) + engine.finalize()

    def _decrypt(self, method: CryptMethod, owner: Ref, data: bytes) -> bytes:
        if method is CryptMethod.NONE:
            return data
        key = self._object_key(method, owner)
        if method is CryptMethod.RC4:
            return _rc4(key, data)
        if len(data) < 2 * _BLOCK_BYTES or len(data) % _BLOCK_BYTES:
            return b""  # readers treat such data as empty
        engine = BlockCipher(algorithms.AES(key), modes.CBC(data[:_BLOCK_BYTES])).decryptor()
        padded = engine.update(data[_BLOCK_BYTES:]) + engine.finalize()
        return padded[: -padded[-1]] if 0 < padded[-1] <= _BLOCK_BYTES else padded


_METHODS = {  # as qpdf names them
    "none": CryptMethod.NONE,
    "rc4": CryptMethod.RC4,
    "aes": CryptMethod.AES_128,
    "aesv3": CryptMethod.AES_256,
}


def cipher_of(encryption: bytes, identifier: bytes, password: bytes) -> Cipher:
    """Return the cipher of a document for a password.

    `encryption` is the document's encryption dictionary as written, and `identifier` its first identifier.  The key depends on
    nothing else of the document, so qpdf gets an empty document made here.  The empty password opens documents that
    readers show without asking for one.  Refuses with `DocumentEncrypted` if the password is wrong, or if qpdf
    does not support the encryption handler.
    """
    if len(encryption) > DICTIONARY_BYTES_MAX:
        raise DocumentBroken("the encryption dictionary has an invalid size")
    attached = _attachments_cipher(Dictionary(encryption, 0))
    if attached is not None:
        return attached
    found = _opened_by(encryption, identifier, password)
    if found.revision >= _PASSWORD_ALONE:
        _refuse_two_keys(encryption, identifier, password, found.key)
    return Cipher(found.key, found.strings, found.streams, found.revision)


class _Opened(NamedTuple):
    key: bytes
    strings: CryptMethod
    streams: CryptMethod
    revision: int


def _opened_by(encryption: bytes, identifier: bytes, password: bytes) -> _Opened:
    import pikepdf  # noqa: PLC0415 - 6 MB in each process, for the few documents that are encrypted

    try:
        with pikepdf.open(_empty(encryption, identifier), password=password) as opened:
            found = opened.encryption
            if found.V < _CRYPT_FILTERS:
                return _Opened(found.encryption_key, CryptMethod.RC4, CryptMethod.RC4, found.R)
            strings, streams = found.string_method.name, found.stream_method.name
            return _Opened(found.encryption_key, _METHODS[strings], _METHODS[streams], found.R)
    except pikepdf.PasswordError as cause:
        raise DocumentEncrypted("the password does not open the document") from cause
    except (pikepdf.PdfError, KeyError, ValueError) as cause:
        raise DocumentEncrypted("the document is encrypted by an unknown method") from cause


def _refuse_two_keys(encryption: bytes, identifier: bytes, password: bytes, key: bytes) -> None:
    """Refuse with `DocumentEncrypted` a password that gives two different keys, as owner password and as user password.

    Readers try the two in different order (ISO 32000-2, algorithm 2.A), and would show different documents.
    """
    of_user = encryption
    entries = Dictionary(encryption, 0)
    spans = [(entries.spans[one], length) for one, length in _OF_OWNER.items() if one in entries]
    for (start, stop), length in sorted(spans, reverse=True):
        of_user = of_user[:start] + b"<%b>" % (b"00" * length) + of_user[stop:]
    try:
        other = _opened_by(of_user, identifier, password).key
    except DocumentEncrypted:
        return  # it is the owner password only
    if other != key:
        raise DocumentEncrypted("the password opens the document with two different keys")


def _attachments_cipher(entries: Dictionary) -> Cipher | None:
    """Return a cipher that changes nothing, for a document of which only the embedded files are encrypted (`/EFF`).

    Returns `None` for any other document.  Readers show a document of the first kind without a password (ISO 32000-2,
    table 20 and section 7.6.6).
    """
    version, revision = entries.get(b"/V"), entries.get(b"/R")
    if not isinstance(version, int) or not isinstance(revision, int) or version < _CRYPT_FILTERS:
        return None
    used = {entries.get(key) for key in (b"/StmF", b"/StrF")}
    if entries.get(b"/Filter") != "/Standard" or used - {None, _IDENTITY}:
        return None
    return Cipher(b"", CryptMethod.NONE, CryptMethod.NONE, revision)


def _empty(encryption: bytes, identifier: bytes) -> BytesIO:
    """Return a PDF without pages that has this encryption dictionary and identifier."""
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>", encryption]
    out, rows = bytearray(b"%PDF-2.0\n"), [b"0000000000 65535 f \n"]
    for number, body in enumerate(bodies, start=1):
        rows.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"xref\n0 4\n" + b"".join(rows)
    trailer = b"trailer\n<</Size 4/Root 1 0 R/Encrypt 3 0 R/ID[<%b><>]>>\n" % (
        identifier.hex().encode("ascii")
    )
    return BytesIO(bytes(out) + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out))


def _rc4(key: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt data with RC4, which older revisions of the standard require."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 0xFF
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for octet in data:
        i = (i + 1) & 0xFF
        j = (j + state[i]) & 0xFF
        state[i], state[j] = state[j], state[i]
        out.append(octet ^ state[(state[i] + state[j]) & 0xFF])
    return bytes(out)
