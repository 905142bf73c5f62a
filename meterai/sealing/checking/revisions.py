"""Which incremental updates follow a seal, and whether they change the document.

A seal covers the file up to the end of its own update.  Later updates may only add what keeps a
signature alive or adds another one: certificates and revocation data (DSS), document time-stamps,
further signatures.  A filled form, another annotation, a new picture for a field, or bytes that no
cross-reference section accounts for make a changed document, even where viewers accept them.

Every later update must have a signature that itself verifies, over all bytes up to the end of that
update but its own /Contents; an update without one must be evidence (DSS) and nothing else.

The comparison is made by pyHanko, whose time depends on how objects refer to each other and not on
the size of the file: this runs only in the processes of `bounded`.
"""

import hashlib
import logging
import re

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver
from pyhanko.pdf_utils.xref import XRefSectionType
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.diff_analysis.policy_api import DiffResult
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from meterai.sealing.checking.injected_objects import injects_nothing
from meterai.sealing.checking.pyhanko_reader import Reader, as_document_broken, open_reader
from meterai.sealing.pdf.document import Document, open_document
from meterai.sealing.pdf.forms import fields

# Its refusals come back to us; it would also log each with a traceback.
logging.getLogger("pyhanko.sign.diff_analysis").setLevel(logging.CRITICAL)

LATER_REVISIONS_MAX = 32  # each is compared with the one before, which reads the whole document

# What evidence may change in the catalog (ISO 32000-2, section 12.8.4.3).
_EVIDENCE_KEYS = {"/DSS", "/Extensions"}
_WRITERS_KEYS = {"/ModDate", "/Producer"}  # what a writing program says about itself
_TAIL = re.compile(rb"startxref\s+(\d+)\s+%%EOF[\r\n ]*")
_TABLE_TRAILER = re.compile(rb"\s*<<(?:(?!\bobj\b|\bstream\b|%%EOF).)*>>\s*\Z", re.DOTALL)
_STREAM_TRAILER = re.compile(rb"\s*(?:endobj)?\s*\Z")
_OBJECT_HEADER = re.compile(rb"\b\d+\s+\d+\s+obj\b")
_OBJECT_END = re.compile(rb"endobj\s*\Z")

# What a form may change in itself.  How its fields look where they state nothing is theirs only
# if there are fields; some signing programs write it into a form of signatures alone.
_FIELDS = {"/Fields"}
_FIELDS_AND_LOOKS = {"/Fields", "/DR", "/DA", "/Q"}


def _policy(form_keys: set[str]) -> StandardDiffPolicy:
    return StandardDiffPolicy(
        global_rules=[
            CatalogModificationRule(),  # type: ignore[no-untyped-call]
            *(
                rule.as_qualified(ModificationLevel.LTA_UPDATES)
                for rule in (
                    DocInfoRule(),
                    XrefStreamRule(),
                    ObjectStreamRule(),
                    DSSCompareRule(),
                    MetadataUpdateRule(),  # type: ignore[no-untyped-call]
                )
            ),
        ],
        form_rule=FormUpdatingRule(
            field_rules=[
                SigFieldCreationRule(  # type: ignore[no-untyped-call]
                    allow_new_visible_after_certify=True
                ),
                SigFieldModificationRule(allow_in_place_appearance_stream_changes=False),
            ],
            ignored_acroform_keys=form_keys,
        ),
    )


_POLICY, _POLICY_WITHOUT_FIELDS = _policy(_FIELDS), _policy(_FIELDS_AND_LOOKS)
_POLICY_OF_EVIDENCE = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(),  # type: ignore[no-untyped-call]
        *(
            rule.as_qualified(ModificationLevel.LTA_UPDATES)
            for rule in (DocInfoRule(), XrefStreamRule(), ObjectStreamRule(), DSSCompareRule())
        ),
    ],
    form_rule=None,
)


def only_signatures_follow(document: Document, end: int, newer: int, password: bytes) -> bool:
    """True if what follows byte `end` adds nothing but signatures.

    `newer` is the number of cross-reference sections behind `end`.  A picture that a signature
    brings may hide what was there; that is not asked here but in `occlusion`.
    """
    with as_document_broken():
        sealed = open_document(document.buffer[:end], bytes_max=end, password=password)
        if not injects_nothing(document, sealed, newer):
            return False
        policy = _POLICY if _has_fields(sealed) else _POLICY_WITHOUT_FIELDS
        return _only_signatures_follow(document.buffer, end, newer, password, policy)


def _has_fields(document: Document) -> bool:
    """True if the form has a field that is not for a signature."""
    return any(field.kind not in ("", "/Sig") for field in fields(document))


def _only_signatures_follow(
    document: bytes, end: int, newer: int, password: bytes, policy: StandardDiffPolicy
) -> bool:
    reader = open_reader(document, password)
    revision = reader.xrefs.total_revisions - 1 - newer
    later = range(revision + 1, reader.xrefs.total_revisions)
    if revision < 0 or not 1 <= len(later) <= LATER_REVISIONS_MAX:
        return False
    ends = _ends(document, reader, later, end)
    if ends is None or not all(_is_explained(reader, number, ends[number]) for number in later):
        return False
    # The policy reads objects lazily and reports a refusal by returning it.
    compared = policy.review_file(reader, revision, doc_mdp=MDPPerm.FILL_FORMS)
    return isinstance(compared, DiffResult)


def _ends(document: bytes, reader: Reader, later: range, end: int) -> dict[int, int] | None:
    """Where each update ends, if whole ones follow each other from `end` to the last byte, with
    nothing between."""
    ends: dict[int, int] = {}
    for revision in later:
        section = reader.xrefs.get_xref_container_info(revision)
        tail = _TAIL.search(document, section.end_location)
        is_stream = section.xref_section_type is XRefSectionType.STREAM
        trailer = _STREAM_TRAILER if is_stream else _TABLE_TRAILER
        start = section.declared_startxref
        # The library forgives a pointer that misses its section by a few bytes; we do not.
        found = (
            section.start_location == start if is_stream else document.startswith(b"xref", start)
        )
        if (
            tail is None
            or not found
            or int(tail[1]) != start
            or not trailer.match(document[section.end_location : tail.start()])
            or not _objects_fill(document, reader, revision, end, start)
        ):
            return None
        ends[revision] = end = tail.end()
    return ends if end == len(document) else None


def _objects_fill(document: bytes, reader: Reader, revision: int, start: int, end: int) -> bool:
    """True if the bytes from `start` to `end` are exactly the objects of this revision."""
    rows = reader.xrefs.get_xref_data(revision).standard_xrefs.values()
    offsets = sorted({offset for _, offset in rows} - {end})
    if start > end or not offsets:
        return start <= end and not document[start:end].strip()
    if offsets[0] < start or offsets[-1] > end or document[start : offsets[0]].strip():
        return False
    for offset, limit in zip(offsets, [*offsets[1:], end], strict=True):
        piece = document[offset:limit]
        if not _OBJECT_END.search(piece) or len(_OBJECT_HEADER.findall(piece)) != 1:
            return False
    return True


def _is_explained(reader: Reader, revision: int, end: int) -> bool:
    """True if a signature that verifies covers this update to its end, or it is evidence alone.

    The policy above lets titles and dates pass, because signing software updates them; an update
    of nothing else has no business here.
    """
    fields = [
        (name, field)
        for name, _, field in enumerate_sig_fields(reader, filled_status=True)
        if _written_in(reader, field) == revision
    ]
    if not fields:
        return _is_evidence(reader, revision)
    return all(
        _verifies(reader, EmbeddedPdfSignature(reader, field, name), end) for name, field in fields
    )


def _written_in(reader: Reader, field: generic.PdfObject) -> int | None:
    """The update that wrote the signature of a field; `None` if it is no object of its own."""
    holder = field.get_object()  # type: ignore[no-untyped-call]
    signature = holder.raw_get("/V")
    if not isinstance(signature, generic.IndirectObject):
        return None
    return int(reader.xrefs.get_last_change(signature.reference))


def _verifies(reader: Reader, signature: EmbeddedPdfSignature, end: int) -> bool:
    """True if the signature is over everything up to `end` but its own /Contents, and holds.

    Whose it is does not matter: a stranger's may follow ours.
    """
    stream, numbers = reader.stream.getbuffer(), [int(one) for one in signature.byte_range]
    if len(numbers) != 4 or numbers[0] != 0 or not 0 < numbers[1] < numbers[2] or numbers[3] <= 0:
        return False
    _, placeholder_start, placeholder_end, length = numbers
    covered = placeholder_end + length
    if covered > end or bytes(stream[covered:end]).strip(b"\r\n "):
        return False
    placeholder = bytes(stream[placeholder_start:placeholder_end])
    if placeholder[:1] + placeholder[-1:] != b"<>" or bytes.fromhex(
        placeholder[1:-1].decode("ascii")
    ) != bytes(signature.pkcs7_content):
        return False
    return _signature_holds(signature)


def _signature_holds(signature: EmbeddedPdfSignature) -> bool:
    """True if the digest is that of the covered bytes, and the key of the certificate signed it."""
    digest, inside = signature.compute_digest(), signature.signed_data["encap_content_info"]
    kind = inside["content_type"].native
    if kind == "tst_info":
        # A time-stamp is over a structure that holds the digest (RFC 3161, section 2.4.2).
        content = inside["content"]
        if content.parsed["message_imprint"]["hashed_message"].native != digest:
            return False
        digest = hashlib.new(signature.md_algorithm, bytes(content)).digest()
    elif kind != "data" or inside["content"].native is not None:
        return False
    intact, valid = validate_sig_integrity(
        signature.signer_info, signature.signer_cert, kind, digest
    )
    return intact and valid


def _is_evidence(reader: Reader, revision: int) -> bool:
    """True if an update adds evidence (DSS) and changes nothing else."""
    old = reader.get_historical_resolver(revision - 1)
    new = reader.get_historical_resolver(revision)
    if "/DSS" not in new.root:
        return False
    for key in (set(old.root) | set(new.root)) - _EVIDENCE_KEYS:
        if key not in old.root or key not in new.root:
            return False
        if old.root.raw_get(key) != new.root.raw_get(key):
            return False
    if old.root_ref != new.root_ref or _information(old) != _information(new):
        return False
    _POLICY_OF_EVIDENCE.apply(old, new, doc_mdp=MDPPerm.FILL_FORMS)  # raises where it refuses
    return True


def _information(state: HistoricalResolver) -> dict[str, object]:
    """What the file says of its title and makers, but for what a writing program says of itself."""
    trailer = state.trailer_view
    if "/Info" not in trailer:
        return {}
    found = trailer["/Info"]  # followed, which `get` would not do
    return {key: found[key] for key in found if key not in _WRITERS_KEYS}
