"""The engine, which appends stamps and seals to a document; the original bytes stay unchanged.

`seal` takes these steps:

  (1) open the document and find the pages;
  (2) lay out the update around a /Contents placeholder of known length (`affixing`);
  (3) hash the original, or reuse its hash state from the upload; then hash the update around the placeholder;
  (4) have the issuer sign the digest;
  (5) put the SignedData into the placeholder.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, Self

from meterai.kit.serial import Serial
from meterai.sealing.model import (
    DOCUMENT_BYTES_MAX,
    Delta,
    DocumentBroken,
    EncryptedWithoutIdentifier,
    HashOfOtherBytes,
    Inspection,
    IssuerUnusable,
    NoPages,
    PageSize,
    Placement,
    PreparedDocument,
    Stamp,
    check_apart,
    check_placements,
)
from meterai.sealing.pdf.cross_reference import OBJECT_NUMBER_MAX
from meterai.sealing.pdf.decoding import FIRST_LOOK, LIMITS, ReadLimits, TooMuchHere
from meterai.sealing.pdf.document import Document, as_document_broken, open_document
from meterai.sealing.pdf.forms import count_signatures
from meterai.sealing.pdf.pages import PageTree, PdfPage
from meterai.sealing.pdf.update import Sealed
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import Inspected, NotAnswered
from meterai.sealing.sandbox.bounded import Task, Work, finish
from meterai.sealing.sandbox.repair import repairing
from meterai.sealing.signing.cms import der_length
from meterai.sealing.signing.issuer import Issuer, ProofSource
from meterai.sealing.signing.timestamps import root_digests
from meterai.sealing.stamp.wording import check_printable
from meterai.sealing.writing.affixing import AffixingTerms, affix, dry_run, state
from meterai.sealing.writing.hidden_content import refuse_other_views, refuse_stamps_in_the_way
from meterai.sealing.writing.security_store import store_update

NUMBERS_RESERVED = 100_000  # object numbers, for ours and those left unused before ours


class HashState(Protocol):
    """State of a SHA-256 computation: the interface of a `hashlib` object."""

    def copy(self) -> "HashState": ...

    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class HashedDocument:
    """State of SHA-256 over a whole document, and the length of the document in bytes.

    The caller guarantees that the bytes are those that were hashed; only their length is compared.
    """

    state: HashState = field(repr=False)
    length: int

    @classmethod
    def of(cls, document: bytes) -> Self:
        """Hash a document."""
        return cls(hashlib.sha256(document), len(document))

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the document."""
        return self.state.digest()

    def continued(self, document: bytes) -> HashState:
        """Return a copy of the state, to hash bytes appended to the document.  Refuses with `HashOfOtherBytes`."""
        if len(document) != self.length:
            raise HashOfOtherBytes(f"the hash covers {self.length} bytes, not {len(document)}")
        return self.state.copy()


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """An opened document that may be stamped; `targets` are the pages of the placements, `pages` the number of all pages."""

    document: Document
    placements: tuple[Placement, ...]
    pages: int
    signatures: int
    targets: tuple[PdfPage, ...]


def inspect(
    original: bytes, placements: Sequence[Placement], *, password: bytes = b""
) -> Inspection:
    """Return the number of pages and signatures, and the visible size of the page of each placement.

    Takes a few look-ups in the file; nothing is drawn or signed.  Refuses with `PlacementMalformed`,
    `DocumentTooLarge`, `NotAPdf`, `DocumentEncrypted`, `DocumentBroken`,
    `EncryptedWithoutIdentifier`, `ChangesForbidden`, `SignatureRangeMalformed`, `DynamicForm`,
    `Portfolio`, `LeavesWhenOpened`, `StrayStamp`, `NoPages`, `PageOutOfRange`,
    `PlacementOutsidePage`, `PlacementsOverlap` or `PlacementOnStamp`.
    """
    return accept(original, placements, password=password).inspection


def accept(
    document: bytes, placements: Sequence[Placement], *, password: bytes = b""
) -> PreparedDocument:
    """Check that a document can be stamped, and return it unchanged as a `PreparedDocument`.  Refuses like `inspect`."""
    return finish(accepting(document, placements, password=password))


def accepting(
    document: bytes, placements: Sequence[Placement], *, password: bytes = b""
) -> Work[PreparedDocument]:
    """Return `accept` as a `Work`.  If a document is too costly for this process, a task in another process inspects it."""
    try:
        opened = open_checked(document, placements, password, FIRST_LOOK)
    except TooMuchHere:
        inspection = yield from _inspected_in_task(document, placements, password)
        return PreparedDocument(document, inspection, is_repaired=False)
    opened.document.widen(LIMITS)  # the document passed, and sealing reads some of it again
    return _ready(opened)


def accept_here(
    document: bytes, placements: Sequence[Placement], password: bytes
) -> PreparedDocument:
    """Like `accept`, but inspects the document in this process, within the limits of a task."""
    return _ready(open_checked(document, placements, password, LIMITS))


def _ready(opened: OpenedDocument) -> PreparedDocument:
    sizes = tuple(page.size for page in opened.targets)
    inspection = Inspection(opened.pages, sizes, opened.signatures)
    return PreparedDocument(opened.document.buffer, inspection, is_repaired=False, opened=opened)


def _inspected_in_task(
    document: bytes, placements: Sequence[Placement], password: bytes
) -> Work[Inspection]:
    wanted = [[one.page, one.x, one.y, one.width] for one in placements]
    parameters = {"placements": wanted, "password": password.decode("latin-1")}
    answer = yield Task("inspect", document, parameters)
    try:
        found = answers.read(answer, Inspected)
    except NotAnswered:
        raise DocumentBroken("examining the document takes too long") from None
    sizes = tuple(PageSize(page, width, height) for page, width, height in found.sizes)
    if len(sizes) != len(placements):
        raise DocumentBroken("the answer is about other pages")
    return Inspection(found.pages, sizes, found.signatures)


def read_placements(wanted: Sequence[Sequence[float]]) -> list[Placement]:
    """Decode placements from the parameters of a task."""
    return [Placement(int(page), x, y, width) for page, x, y, width in wanted]


def ingest(
    document: bytes, placements: Sequence[Placement], *, password: bytes = b""
) -> PreparedDocument:
    """Return the document to be stamped, repaired if it is broken.

    A document is also repaired if our reader finds no page in it, since a more lenient reader may find its pages.  Refuses like
    `inspect`.
    """
    return finish(ingesting(document, placements, password=password))


def ingesting(
    document: bytes, placements: Sequence[Placement], *, password: bytes = b""
) -> Work[PreparedDocument]:
    """Return `ingest` as a `Work`."""
    try:
        return (yield from accepting(document, placements, password=password))
    except (DocumentBroken, NoPages) as cause:
        refusal = cause
    try:
        repaired = yield from repairing(document)
    except DocumentBroken:
        raise refusal from None
    prepared = yield from accepting(repaired, placements)
    return replace(prepared, is_repaired=True)


def seal(  # noqa: PLR0913 - a seal depends on so much, and on nothing else
    original: bytes | PreparedDocument,
    stamps: Sequence[Stamp],
    issuer: Issuer,
    *,
    at: datetime,
    check_url: str,
    specimen: bool,
    password: bytes = b"",
    hashed: HashedDocument | None = None,
) -> Delta:
    """Stamp a document and seal it.  The stamped file is `original` followed by the delta.

    A `PreparedDocument` is not read again if the stamps have the placements that it was made for.  If
    `original` is plain bytes, wrong cross-reference rows and stamps without a seal are not detected here; `delivery` calls
    `accept` before, which refuses them.

    `at` (with a time zone) is the time written into the seal.  `check_url` is the address below which a serial can be
    checked; the QR code contains this address, the serial and the signed claim, in capitals.  `specimen` prints the word
    SPECIMEN on each stamp.  `password` opens an encrypted document, which stays encrypted.  `hashed` is the hash of
    `original` from its upload; with it sealing does not hash the file again.

    Refuses like `inspect`, with `HashOfOtherBytes` or a `SealingUnavailable` (`IssuerUnusable`, `TimeStampUnavailable`,
    `RevocationUnavailable`), and raises nothing else for any document.  Raises `ValueError` for a repeated serial, and for a
    `check_url` that is too long for the code or has a host that a stamp cannot show.
    """
    issuer.check_usable(at)
    _check_stamps(stamps, check_url)
    opened = _opened_for(original, [stamp.placement for stamp in stamps], password)
    original = opened.document.buffer
    hashing = (hashed or HashedDocument.of(original)).continued(original)
    terms = _terms(issuer, len(original), hashing, at=at, check_url=check_url, specimen=specimen)
    sealing = _Sealing(terms, issuer, password, hashing)
    with as_document_broken():
        if opened.signatures:
            data, placeholder = sealing.seal_each(opened, stamps)
        else:
            placed = list(zip(stamps, opened.targets, strict=True))
            update = affix(terms, opened.document, placed, certify=True)
            data, placeholder = sealing.seal(update)
        return sealing.delta(original, data, placeholder, [stamp.serial for stamp in stamps])


def seal_statement(statement: bytes, issuer: Issuer, *, at: datetime) -> Delta:
    """Seal a statement, an unsigned document written by the operator, without a stamp; the seal says that it has none.

    Refuses like `inspect`, or with a `SealingUnavailable`.  Raises `ValueError` for a signed document.
    """
    issuer.check_usable(at)
    # A placement that fits on each of our pages, needed for the checks only; no stamp is put there.
    opened = open_checked(statement, [Placement(1, 20, 20)], b"", LIMITS)
    if opened.signatures:
        raise ValueError("a statement of ours that somebody signed")
    hashing = HashedDocument.of(statement).state
    terms = _terms(issuer, len(statement), hashing, at=at)
    sealing = _Sealing(terms, issuer, b"", hashing)
    with as_document_broken():
        data, placeholder = sealing.seal(state(terms, opened.document, opened.targets[0]))
        return sealing.delta(statement, data, placeholder, ())


def _terms(
    issuer: Issuer,
    original_bytes: int,
    state: HashState,
    *,
    at: datetime,
    check_url: str = "",
    specimen: bool = True,
) -> AffixingTerms:
    if issuer.claim_key is None:
        raise IssuerUnusable("the issuer has no key for claims")
    proofs = issuer.long_term_validation
    return AffixingTerms(
        issuer_name=issuer.name,
        claim_key=issuer.claim_key,
        at=at,
        check_url=check_url,
        specimen=specimen,
        operator_artwork=issuer.operator_artwork,
        original_bytes=original_bytes,
        sha256_original=state.digest(),
        time_stamp_roots=root_digests(proofs.time_stamp_roots) if proofs is not None else (),
        placeholder_bytes=2 * issuer.signed_data_bytes_max + 2,
    )


def _check_stamps(stamps: Sequence[Stamp], check_url: str) -> None:
    if len({stamp.serial for stamp in stamps}) < len(stamps):
        raise ValueError("a serial can be on one stamp only")
    check_printable(check_url)


def open_checked(
    document: bytes, placements: Sequence[Placement], password: bytes, limits: ReadLimits
) -> OpenedDocument:
    """Open a document and check that it can be stamped at these placements.

    Refuses like `inspect`.  With `FIRST_LOOK`, the low limits for a web process, it may raise `TooMuchHere`.
    """
    opened = _open(document, placements, password, bytes_max=DOCUMENT_BYTES_MAX, limits=limits)
    with as_document_broken():
        opened.document.check_rows()
        dry_run(opened.document, opened.targets, certify=not opened.signatures)
        refuse_stamps_in_the_way(opened.document, placements, opened.targets)
    return opened


def _opened_for(
    original: bytes | PreparedDocument, placements: Sequence[Placement], password: bytes
) -> OpenedDocument:
    if isinstance(original, PreparedDocument):
        opened = original.opened
        if isinstance(opened, OpenedDocument) and opened.placements == tuple(placements):
            return opened
        original = original.document
    return _open(original, placements, password, bytes_max=DOCUMENT_BYTES_MAX)


def _open(
    document: bytes,
    placements: Sequence[Placement],
    password: bytes,
    *,
    bytes_max: int,
    limits: ReadLimits = LIMITS,
) -> OpenedDocument:
    check_placements(placements)
    opened = open_document(document, bytes_max=bytes_max, password=password, limits=limits)
    with as_document_broken():
        if opened.cipher and opened.cipher.depends_on_identifier and not opened.identifier:
            raise EncryptedWithoutIdentifier(
                "the document is encrypted, and its trailer has no identifier"
            )
        signatures = count_signatures(opened)
        tree = PageTree(opened)
        refuse_other_views(opened, tree.page(1).entries)
        if not opened.is_sized and not signatures:
            # Some readers skip objects beyond the stated size, and would find them after our update.  A signed document is
            # accepted, since its program wrote it so and it cannot be repaired.
            raise DocumentBroken("the number of an object is too large")
        if opened.size > OBJECT_NUMBER_MAX - NUMBERS_RESERVED:
            raise DocumentBroken("no numbers for new objects are left")
        targets = tuple(tree.page(placement.page) for placement in placements)
        for page, placement in zip(targets, placements, strict=True):
            tree.check_parent(page)
            page.rectangle(placement)
        if tree.is_walked:
            raise DocumentBroken("the page tree differs from its counts")
        check_apart(placements, [page.number for page in targets])
        return OpenedDocument(opened, tuple(placements), tree.count, signatures, targets)


@dataclass(frozen=True, slots=True)
class _Sealing:
    """One request for sealing: its terms, its issuer, and the hash state of the original and all updates sealed so far."""

    terms: AffixingTerms
    issuer: Issuer
    password: bytes
    state: HashState

    def seal(self, update: Sealed) -> tuple[bytes, bytes]:
        """Sign an update; return the sealed update and its value of /Contents.

        Before the call, `state` must be the hash of all bytes before the update; afterwards it includes the sealed update.
        """
        before, after = update
        self.state.update(before)
        covered = self.state.copy()
        covered.update(after)
        signed_data = self.issuer.signed_data_hex(covered.digest())
        placeholder = b"<%b>" % signed_data.ljust(self.terms.placeholder_bytes - 2, b"0")
        rest = placeholder + after
        self.state.update(rest)
        return before + rest, placeholder

    def seal_each(self, opened: OpenedDocument, stamps: Sequence[Stamp]) -> tuple[bytes, bytes]:
        """Add a seal for each stamp, each seal over all bytes before it.

        Returns all updates, and the value of /Contents in the last one.
        """
        stamped = original = opened.document.buffer
        placeholder = b""
        for stamp, page in zip(stamps, opened.targets, strict=True):
            document, target = opened.document, page
            if stamped is not original:
                step = _open(stamped, [stamp.placement], self.password, bytes_max=len(stamped))
                document, target = step.document, step.targets[0]
            update = affix(self.terms, document, [(stamp, target)], certify=False)
            data, placeholder = self.seal(update)
            stamped += data
        return stamped[len(original) :], placeholder

    def delta(
        self, original: bytes, data: bytes, placeholder: bytes, serials: Sequence[Serial]
    ) -> Delta:
        """Return the delta: the sealed updates in `data`, followed by the evidence for their last seal."""
        proofs = self.issuer.long_term_validation
        if proofs is not None:
            data += self.evidence_update(original + data, placeholder, proofs)
        sha256_original, sha256_stamped = self.terms.sha256_original, self.state.digest()
        return Delta(data, sha256_original, sha256_stamped, tuple(serials))

    def evidence_update(
        self, stamped: bytes, placeholder: bytes, long_term_validation: ProofSource
    ) -> bytes:
        """Return the update with the revocation evidence for a seal; empty if evidence is not configured."""
        contents = bytes.fromhex(placeholder[1:-1].decode("ascii"))
        signed_data = contents[: der_length(contents)]
        evidence = long_term_validation.evidence(signed_data, self.issuer.chain, self.terms.at)
        if evidence is None:
            return b""
        document = open_document(stamped, bytes_max=len(stamped), password=self.password)
        data = store_update(document, contents, evidence)
        self.state.update(data)
        return data
