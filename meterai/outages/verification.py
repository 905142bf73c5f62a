"""Offline verification of an outage record: checks its signature or seal, and derives its periods again from its readings.

Needs the file, the operator's keys, and optionally trusted watchers; no database and no network.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from meterai import sealing
from meterai.outages.model import RecordWrong
from meterai.outages.papers import JSON
from meterai.outages.record import OutageRecord, derived_again, read_record
from meterai.outages.rules import Derived
from meterai.pages import paper
from meterai.plumbing.files import read_key_file, read_settings_file
from meterai.plumbing.readings import Watcher, read_watchers
from meterai.plumbing.signed import SignatureWrong, public_key_of
from meterai.sealing import Verdict

FILES_MAX = 100  # files that are read from a folder of keys
_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)
_PDF = b"%PDF-"


@dataclass(frozen=True, slots=True)
class Keys:
    """Trusted keys of a verifier: public keys of records, certificates of seals and their roots, and watchers."""

    public_keys: Sequence[bytes]
    roots: Sequence[x509.Certificate]
    sealers: Sequence[x509.Certificate]
    watchers: Sequence[Watcher]


@dataclass(frozen=True, slots=True)
class ExaminedRecord:
    """A record with a valid signature or seal, and the findings from its readings."""

    record: OutageRecord
    derived: Derived

    @property
    def is_borne_out(self) -> bool:
        """True if the readings give the same periods of failure as the record, for each act."""
        return self.derived.failed == self.record.failed


def read_keys(paths: Iterable[Path]) -> Keys:
    """Read keys from files or folders: PEM, and files of watchers (`.toml`).

    Refuses `SignatureWrong`, `WatchersWrong`; raises `OSError`.
    """
    blocks: list[tuple[bytes, bytes]] = []
    watchers: list[Watcher] = []
    for path in paths:
        files = sorted(path.iterdir())[:FILES_MAX] if path.is_dir() else [path]
        for one in files:
            if one.suffix == ".toml":
                watchers += read_watchers(read_settings_file(one))
            else:
                found = _BLOCK.finditer(read_key_file(one))
                blocks += [(block[1], block[0] + b"\n") for block in found]
    try:
        certificates = [
            x509.load_pem_x509_certificate(block)
            for kind, block in blocks
            if kind == b"CERTIFICATE"
        ]
    except ValueError:
        raise SignatureWrong("a certificate cannot be read") from None
    return Keys(
        [public_key_of(block) for kind, block in blocks if kind == b"PUBLIC KEY"],
        [one for one in certificates if one.subject == one.issuer],
        [one for one in certificates if one.subject != one.issuer],
        watchers,
    )


def examine(content: bytes, keys: Keys, at: datetime) -> ExaminedRecord:
    """Verify a signed outage record, or a PDF to which one is attached, with the trusted keys.

    Refuses `SignatureWrong`, `RecordWrong`.
    """
    document = _of_pdf(content, keys, at) if content.startswith(_PDF) else content
    record = _read(document, keys)
    return ExaminedRecord(record, derived_again(record, keys.watchers))


def _of_pdf(content: bytes, keys: Keys, at: datetime) -> bytes:
    if not keys.roots or not keys.sealers:
        raise RecordWrong("the certificate of a seal, or its root, is not among the keys")
    report = sealing.verify(content, keys.roots, at=at, seal_certificates=keys.sealers)
    document = paper.attached(content, JSON)
    if report.verdict is not Verdict.STATEMENT or report.is_spoilt or document is None:
        raise RecordWrong(f"the file is not a sealed record: {report.verdict}")
    return document


def _read(document: bytes, keys: Keys) -> OutageRecord:
    refusal = SignatureWrong("no public key of records is among the given keys")
    for one in keys.public_keys:
        try:
            return read_record(document, one)
        except SignatureWrong as found:
            refusal = found
    raise refusal
