"""Signed documents that rooms give to the public: places in a line, answers to complaints.

They are JSON Web Signatures, flattened (RFC 7515, section 7.2.2), with Ed25519 (RFC 8037): libraries in every language
can check them with the public key alone.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from meterai.kit.refusal import Refusal


class SignatureWrong(Refusal):
    """A document is not signed by this installation, or is of another kind."""

    code = "signature_wrong"
    status = 422


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class DocumentSigner:
    """Signs documents with one key. The signature covers the kind of the document too, so that a document cannot pass for one
    of another kind.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)

    def public_key(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )

    def public_pem(self) -> bytes:
        """The public key in PEM."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign_message(self, message: bytes) -> bytes:
        """Sign a message, which must begin with a word for its purpose (domain separation) and a space; return the 64 bytes of
        the signature.
        """
        return self._key.sign(message)

    def sign(self, kind: str, facts: Mapping[str, object]) -> str:
        """Return a signed document of this kind with these facts."""
        header = _encoded(json.dumps({"alg": "EdDSA", "typ": kind}).encode())
        payload = _encoded(json.dumps(facts, separators=(",", ":")).encode())
        return _document(header, payload, self._key.sign(f"{header}.{payload}".encode()))


def _document(header: str, payload: str, signature: bytes) -> str:
    return json.dumps({"payload": payload, "protected": header, "signature": _encoded(signature)})


def canonical(document: str | bytes) -> bytes:
    """Return a document, checked by `read_signed` before, in the exact spelling of `DocumentSigner.sign`."""
    found = json.loads(document)
    return _document(
        str(found["protected"]), str(found["payload"]), _decoded(str(found["signature"]))
    ).encode()


def public_key_of(pem: bytes) -> bytes:
    """Return the 32 bytes of an Ed25519 public key in PEM. Refuses `SignatureWrong`."""
    try:
        public = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise SignatureWrong("the key is not a public key in PEM") from None
    if not isinstance(public, Ed25519PublicKey):
        raise SignatureWrong("the key has an unsupported kind")
    return public.public_bytes_raw()


def read_signed(document: str | bytes, kind: str, public_key: bytes) -> dict[str, object]:
    """Check the signature and the kind of a document; return its facts. Refuses `SignatureWrong`."""
    try:
        found = json.loads(document)
        header, payload = str(found["protected"]), str(found["payload"])
        signature = _decoded(str(found["signature"]))
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            signature, f"{header}.{payload}".encode()
        )
        told, facts = json.loads(_decoded(header)), json.loads(_decoded(payload))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidSignature):
        raise SignatureWrong("the signature is wrong, or the document has another kind") from None
    if told != {"alg": "EdDSA", "typ": kind} or not isinstance(facts, dict):
        raise SignatureWrong(f"the document is no {kind}")
    return facts
