"""What was appended to a document after a seal, and whether anyone may do that.

A seal covers the file up to the end of its own update.  Later updates may only add what keeps a
signature alive or adds another one: certificates and revocation data (DSS), document time-stamps,
further signatures.  A filled form, another annotation, a new picture for a field, or bytes that no
cross-reference section accounts for are a changed document, whatever a viewer says about it.
"""

import logging
import re

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
from pyhanko.sign.fields import MDPPerm

from meterai.sealing.document import Document, open_document
from meterai.sealing.form import fields
from meterai.sealing.objects import (
    Reference,
    dictionary,
)
from meterai.sealing.reader import Reader, as_document_broken, open_reader
from meterai.sealing.smuggling import brings_its_own

# Its refusals come back to us; it would also log each with a traceback.
logging.getLogger("pyhanko.sign.diff_analysis").setLevel(logging.CRITICAL)

LATER_REVISIONS_MAX = 32  # each is compared with the one before, which reads the whole document

_SIGNATURE_KEYS = {"/ByteRange", "/DSS", "/VRI", "/Certs", "/OCSPs", "/CRLs"}
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


def only_signatures_follow(document: Document, end: int, newer: int, password: bytes) -> bool:
    """True if what follows byte `end` adds nothing but signatures.

    `newer` is the number of cross-reference sections behind `end`.  A picture that a signature
    brings may hide what was there; that is not asked here but in `covering`.
    """
    with as_document_broken():
        sealed = open_document(document.buffer[:end], bytes_max=end, password=password)
        if not brings_its_own(document, sealed, newer):
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
    if not _is_tiled(document, reader, later, end):
        return False
    if not all(_serves_a_signature(reader, number) for number in later):
        return False
    # The policy reads objects lazily and reports a refusal by returning it.
    compared = policy.review_file(reader, revision, doc_mdp=MDPPerm.FILL_FORMS)
    return isinstance(compared, DiffResult)


def _is_tiled(document: bytes, reader: Reader, later: range, end: int) -> bool:
    """True if whole updates follow each other from `end` to the last byte, with nothing between."""
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
            return False
        end = tail.end()
    return end == len(document)


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


def _serves_a_signature(reader: Reader, revision: int) -> bool:
    """True if a revision brings a signature, a time-stamp or proofs.

    The comparison below lets titles and dates pass, because signing software updates them; an
    update of nothing else has no business here.
    """
    for place in reader.xrefs.explicit_refs_in_revision(revision):
        found = dictionary(_as_of(reader, place, revision))
        if found is not None and _SIGNATURE_KEYS & set(found):
            return True
    return False


def _as_of(reader: Reader, place: Reference, revision: int) -> object:
    """An object as one revision left it."""
    # The library keeps what it has read only of the present state of an object.
    past = None if reader.xrefs.get_last_change(place) == revision else revision
    return reader.get_object(place, revision=past)  # type: ignore[no-untyped-call]
