"""Making and checking of the extract of a day, which is a file of rows and a signed manifest; pure.

A row is one entry of the books without its account: its reason, its time to the second, the amounts by book, and a
mark that all entries of one order share. The mark is an HMAC: without the key, nobody can derive the order from the
mark, or the mark from the order.
"""

import gzip
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec

from meterai.kit.clock import WIB
from meterai.kit.days import DAY
from meterai.kit.refusal import Refusal
from meterai.ledger import LedgerEntry, Sums
from meterai.plumbing.files import read_file
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.signed import DocumentSigner, SignatureWrong, read_signed
from meterai.regulator.model import BOOKS, Opening

KIND = "meterai extract"  # kind of the signed manifest
SIGNING = "statements of duty"  # purpose for which the signing key is derived
MANIFEST_BYTES_MAX = 256 * 1024  # a manifest has some 8 KB
ROW_BYTES_MAX = 4_096  # a row has some 250 bytes
LINK_BYTES = 16
_ROW = msgspec.json.Encoder(order="deterministic")


class ExtractWrong(Refusal):
    """The extract differs from its signed manifest, or the manifest does not continue that of the day before."""

    code = "extract_wrong"
    status = 422

    def __init__(self, day: str, why: str) -> None:
        super().__init__(f"{day}: {why}")
        self.day = day
        self.why = why


def signer_of(keyring: Keyring) -> DocumentSigner:
    """Return the signer of extracts and evidence; its public key is published."""
    return DocumentSigner(keyring.derived(SIGNING))


def row_of(entry: LedgerEntry, key: bytes) -> bytes:
    """Return an entry as one line of the file of an extract; `key` is the HMAC key from which the marks of orders are made."""
    link = hmac.digest(key, entry.account.bytes + entry.subject.bytes, hashlib.sha256)[:LINK_BYTES]
    legs = list(zip(entry.books, entry.amounts, strict=True))
    fields = {
        "at": entry.at.astimezone(WIB).replace(microsecond=0).isoformat(),
        "fact": entry.reason,
        "of": link.hex(),
        "rupiah": {book: amount for book, amount in legs if not book.startswith("stamps_")},
        "stamps": {book: amount for book, amount in legs if book.startswith("stamps_")},
    }
    return _ROW.encode(fields) + b"\n"


def packed(rows: Iterable[bytes]) -> bytes:
    """Compress rows to one gzip member; equal rows give equal bytes. Takes some 10 microseconds per row."""
    return gzip.compress(b"".join(rows), 6, mtime=0)


def file_name(day: date) -> str:
    """Return the name of the file of rows of a day."""
    return f"{day}.jsonl.gz"


@dataclass(frozen=True, slots=True)
class ExtractManifest:
    """Content of the signed manifest of a day: its file of rows, the sums of the rows, the opening balance of every
    book, and the digest of the previous manifest.
    """

    day: date
    rows: int
    size: int  # bytes
    sha256: bytes
    sums: Sums
    opening: Opening
    before: str  # SHA-256 of the signed manifest of the day before; empty for the first day

    def signed(self, signer: DocumentSigner, *, by: str, specimen: bool) -> str:
        """Return the manifest as a signed document. `by` is the URL of the installation."""
        return signer.sign(
            KIND,
            {
                "by": by,
                "specimen": specimen,
                "day": str(self.day),
                "file": file_name(self.day),
                "rows": self.rows,
                "bytes": self.size,
                "sha256": self.sha256.hex(),
                "sums": self.sums.told(),
                "opening": {book: self.opening.get(book, 0) for book in BOOKS},
                "before": self.before,
            },
        )


def digest(manifest: str) -> str:
    """Return the SHA-256 of a signed manifest, with which the manifest of the next day refers to it."""
    return hashlib.sha256(manifest.encode()).hexdigest()


def read_canonical(document: bytes, kind: str, public_key: bytes) -> dict[str, Any]:
    """Return the facts of a signed document, which must be byte for byte as `DocumentSigner` writes it.

    Refuses `SignatureWrong`.
    """
    facts = read_signed(document, kind, public_key)
    parts = json.loads(document)
    names = ("payload", "protected", "signature")
    written = json.dumps({name: parts[name] for name in names}).encode()
    # The last letter of 64 bytes in base64 has four unused bits, which must be zero: only these letters are
    # canonical.
    if written != document or parts["signature"][-1] not in "AQgw":
        raise SignatureWrong("the encoding differs from the signed one")
    return facts


class ManifestText(msgspec.Struct):
    """A manifest as it is parsed from its signed document."""

    by: str
    specimen: bool
    day: date
    file: str
    rows: int
    bytes: int
    sha256: str
    sums: dict[str, dict[str, tuple[int, int]]]
    opening: dict[str, int]
    before: str


class _ExtractRow(msgspec.Struct, forbid_unknown_fields=True):
    """A row as it is parsed from the file of an extract."""

    at: str
    fact: str
    of: str
    rupiah: dict[str, int]
    stamps: dict[str, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """Result of a check: a day whose extract is valid, with the number and the sums of its rows."""

    day: date
    rows: int
    sums: Sums


def check_folder(folder: Path, public_key: bytes) -> Iterator[Checked]:
    """Check every extract of a folder, day by day: manifest, file, sums, and the chain of manifests. No day between
    the first and the last may be missing.

    Refuses `ExtractWrong`.
    """
    before: tuple[ManifestText, str] | None = None
    for path in sorted(folder.glob("????-??-??.json")):
        document = read_file(path, MANIFEST_BYTES_MAX)
        manifest = read_manifest(document, path.stem, public_key)
        if before is not None:
            _check_chain(before, manifest)
        sums = _check_file(folder / manifest.file, manifest)
        before = manifest, digest(document.decode())
        yield Checked(manifest.day, manifest.rows, sums)


def read_manifest(document: bytes, day: str, public_key: bytes) -> ManifestText:
    """Return the manifest of a day after checking its signature. Refuses `ExtractWrong`."""
    try:
        manifest = msgspec.convert(
            read_canonical(document, KIND, public_key), ManifestText, strict=False
        )
    except (msgspec.ValidationError, SignatureWrong) as error:
        raise ExtractWrong(day, str(error)) from None
    if str(manifest.day) != day or manifest.file != file_name(manifest.day):
        raise ExtractWrong(day, "the manifest belongs to another day")
    return manifest


def _check_chain(before: tuple[ManifestText, str], manifest: ManifestText) -> None:
    last, digested = before
    if manifest.day != last.day + DAY:
        raise ExtractWrong(str(manifest.day), "a day is missing before this one")
    if manifest.before != digested:
        raise ExtractWrong(
            str(manifest.day), "the manifest does not name the manifest of the day before"
        )
    closing = dict(last.opening)
    for by_book in last.sums.values():
        for book, (_, amount) in by_book.items():
            closing[book] = closing.get(book, 0) + amount
    # A newer release may have more books than the manifest of an older one; their balance was zero then.
    if any(
        closing.get(book, 0) != manifest.opening.get(book, 0)
        for book in {*closing, *manifest.opening}
    ):
        raise ExtractWrong(
            str(manifest.day), "the opening balances are not the closing balances of the day before"
        )


def _check_file(path: Path, manifest: ManifestText) -> Sums:
    day = str(manifest.day)
    try:
        content = read_file(path, manifest.bytes + 1)
    except OSError as error:
        raise ExtractWrong(day, f"{path.name}: {error.strerror}") from None
    if len(content) != manifest.bytes or hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ExtractWrong(day, f"{path.name} differs from the file in the manifest")
    sums, rows = Sums(), 0
    with gzip.open(BytesIO(content)) as file:
        while line := file.readline(ROW_BYTES_MAX):
            rows += 1
            sums.add(*_row(line, manifest.day))
    if rows != manifest.rows or sums.told() != _listed(manifest.sums):
        raise ExtractWrong(day, "the sums of the rows differ from those in the manifest")
    return sums


def _listed(sums: Mapping[str, Mapping[str, tuple[int, int]]]) -> dict[str, dict[str, list[int]]]:
    return {one: {book: list(sides) for book, sides in of.items()} for one, of in sums.items()}


def _row(line: bytes, day: date) -> tuple[str, Sequence[tuple[str, int]]]:
    try:
        row = msgspec.json.decode(line, type=_ExtractRow)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ExtractWrong(str(day), "a row cannot be read") from None
    sides = sum(row.rupiah.values()), sum(row.stamps.values())
    if not row.at.startswith(str(day)) or any(sides):
        raise ExtractWrong(str(day), "a row belongs to another day, or does not balance")
    return row.fact, [*row.rupiah.items(), *row.stamps.items()]
