"""Offline check of an archive of evidence: with the public key of the installation, and optionally the original."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from meterai import sealing
from meterai.kit.refusal import Refusal
from meterai.plumbing.signed import SignatureWrong
from meterai.plumbing.zips import ArchiveUnreadable, unzipped
from meterai.regulator.evidence import (
    CHAIN,
    CLAIM,
    CLAIM_KEY,
    DELTA,
    ENTRIES,
    KIND,
    MANIFEST,
    STAMP,
)
from meterai.regulator.extracts import read_canonical

EVIDENCE_BYTES_MAX = 64 * 1024 * 1024  # of an archive: a delta has some 100 KB, a large one some MB


class EvidenceWrong(Refusal):
    """The archive of evidence is invalid: it was changed, or its parts contradict each other."""

    code = "evidence_wrong"
    status = 422

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _ArchiveFile(msgspec.Struct, forbid_unknown_fields=True):
    bytes: int
    sha256: str


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    by: str
    specimen: bool
    serial: str
    made_at: str
    files: dict[str, _ArchiveFile]


@dataclass(frozen=True, slots=True)
class ValidEvidence:
    """Result of a check of valid evidence: its content, and a sentence for each confirmed fact."""

    manifest: Mapping[str, Any]
    stamp: Mapping[str, Any]
    findings: tuple[str, ...]


def check_evidence(
    content: bytes, public_key: bytes, original: bytes | None = None
) -> ValidEvidence:
    """Check an archive of evidence, and optionally the original document with it.  Refuses `EvidenceWrong`."""
    try:
        files = {one.name: one.content for one in unzipped(content)}
        document = files.pop(MANIFEST, b"")
        facts = read_canonical(document, KIND, public_key)
        manifest = msgspec.convert(facts, _Manifest)
    except (ArchiveUnreadable, SignatureWrong, msgspec.ValidationError) as error:
        raise EvidenceWrong(str(error)) from None
    found = {
        one: _ArchiveFile(len(inner), sha256(inner).hexdigest()) for one, inner in files.items()
    }
    if found != manifest.files:
        raise EvidenceWrong("the files differ from the signed ones")
    stamp: dict[str, Any] = json.loads(files[STAMP])
    findings = (*_parts(files, stamp), *_document(files, stamp, original))
    return ValidEvidence(facts, stamp, findings)


def _parts(files: Mapping[str, bytes], stamp: Mapping[str, Any]) -> Iterator[str]:
    """Check the parts of the archive against each other. Yield a sentence for each confirmed fact. Refuses
    `EvidenceWrong`.
    """
    if DELTA in files:
        if sha256(files[DELTA]).hexdigest() != stamp["sha256_delta"]:
            raise EvidenceWrong("the delta differs from the signed one")
        seal = sealing.seal_in(files[DELTA])
        if seal is not None:
            if not seal.signature_holds or seal.pem() != files.get(CHAIN):
                raise EvidenceWrong("the seal in the delta is invalid")
            yield f"the key of {seal.chain[0].subject.rfc4514_string()} signed the seal"
    if CLAIM in files:
        yield _claim(files, stamp)
    entries = json.loads(files[ENTRIES])
    if any(_unbalanced(one["books"]) for one in entries):
        raise EvidenceWrong("an entry of the books does not balance")
    yield f"{len(entries)} entries of the books balance"


def _claim(files: Mapping[str, bytes], stamp: Mapping[str, Any]) -> str:
    key = load_pem_public_key(files[CLAIM_KEY])
    assert isinstance(key, Ed25519PublicKey), "the text was signed in this form"
    try:
        claim = sealing.claim.read(files[CLAIM].decode(), {sealing.claim.key_id(key): key})
    except Refusal as error:
        raise EvidenceWrong(f"the claim: {error}") from None
    if not sealing.claim.matches(claim, bytes.fromhex(stamp["sha256_original"])):
        raise EvidenceWrong("the claim names another document")
    return f"key {claim.key_id} signed the claim of {claim.serial.grouped()}"


def _unbalanced(books: Mapping[str, int]) -> bool:
    of_stamps = sum(amount for book, amount in books.items() if book.startswith("stamps_"))
    return bool(of_stamps or sum(books.values()))


def _document(
    files: Mapping[str, bytes], stamp: Mapping[str, Any], original: bytes | None
) -> Iterator[str]:
    """Check the archive against the original, if it is given. Yield a sentence for each confirmed fact. Refuses
    `EvidenceWrong`.
    """
    if original is None:
        return
    if sha256(original).hexdigest() != stamp["sha256_original"]:
        raise EvidenceWrong("the document is not the original of the stamped one")
    yield "the document is the one that was stamped"
    if DELTA in files:
        if sha256(original + files[DELTA]).hexdigest() != stamp["sha256_stamped"]:
            raise EvidenceWrong("document and delta do not make the stamped file")
        yield "document and delta are the stamped file"
