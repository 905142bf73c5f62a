"""What was appended to a document after a seal, and whether anyone may do that.

A seal covers the file up to the end of its own update.  Later updates may only add what keeps a
signature alive or adds another one: certificates and revocation data (DSS), document time-stamps,
further signatures.  A filled form, another annotation, a new picture for a field, or bytes that no
cross-reference section accounts for are a changed document, whatever a viewer says about it.
"""

import math
import re
from collections.abc import Iterator

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

from meterai.sealing.document import Reader, fields
from meterai.sealing.marks import serial_in_name
from meterai.sealing.model import DocumentBroken
from meterai.sealing.objects import (
    Dictionary,
    Reference,
    array,
    dictionary,
    entry,
    items,
    name,
    number,
    raw,
    reference,
    text,
)

LATER_REVISIONS_MAX = 32  # each is compared with the one before, which reads the whole document
LATER_WIDGET_AREA_MAX = (
    125_000.0  # square points, a quarter of A4: room for a signature, not a page
)

Rectangle = tuple[float, float, float, float]

_SIGNATURE_KEYS = {"/ByteRange", "/DSS", "/VRI", "/Certs", "/OCSPs", "/CRLs"}
_TAIL = re.compile(rb"startxref\s+(\d+)\s+%%EOF[\r\n ]*")
_TABLE_TRAILER = re.compile(rb"\s*<<(?:(?!\bobj\b|\bstream\b|%%EOF).)*>>\s*\Z", re.DOTALL)
_STREAM_TRAILER = re.compile(rb"\s*(?:endobj)?\s*\Z")
_OBJECT_HEADER = re.compile(rb"\b\d+\s+\d+\s+obj\b")
_OBJECT_END = re.compile(rb"endobj\s*\Z")

_POLICY = StandardDiffPolicy(
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
        ]
    ),
)


def only_signatures_follow(document: bytes, reader: Reader, revision: int, end: int) -> bool:
    """True if what follows `revision`, which ends at byte `end`, adds nothing but signatures."""
    if end == len(document):
        return True
    later = range(revision + 1, reader.xrefs.total_revisions)
    if not 1 <= len(later) <= LATER_REVISIONS_MAX:
        return False
    if not _is_tiled(document, reader, later, end) or not _widgets_keep_off(reader, revision):
        return False
    if not all(_serves_a_signature(reader, number) for number in later):
        return False
    # The policy reads objects lazily and reports a refusal by returning it.
    compared = _POLICY.review_file(reader, revision, doc_mdp=MDPPerm.FILL_FORMS)
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


def _widgets_keep_off(reader: Reader, revision: int) -> bool:
    """True if no signature made later is drawn over a stamp, or large enough to hide a page.

    A later signature may bring a picture of any kind: the "sneaky signature" attack on certified
    documents covers the text with it (Rohlmann et al., 2021).
    """
    small = all(
        _area(_corners(field.entries)) <= LATER_WIDGET_AREA_MAX
        for field in fields(reader.root)
        if _is_later(reader, field.reference, revision)
    )
    return small and not any(
        _overlap(_corners(stamp), _corners(other))
        for stamp in stamp_annotations(reader, revision)
        for other in _later_on_page(reader, stamp, revision)
    )


def stamp_annotations(reader: Reader, revision: int) -> Iterator[Dictionary]:
    """The stamps that a revision drew: the widget of our seal, and our annotations."""
    written = reader.xrefs.explicit_refs_in_revision(revision)
    for place in sorted(written, key=lambda found: found.idnum):
        annotation = dictionary(_as_of(reader, place, revision))
        if annotation is not None and stamp_name(annotation) is not None:
            yield annotation


def _as_of(reader: Reader, place: Reference, revision: int) -> object:
    """An object as one revision left it."""
    # The library keeps what it has read only of the present state of an object.
    past = None if reader.xrefs.get_last_change(place) == revision else revision
    return reader.get_object(place, revision=past)  # type: ignore[no-untyped-call]


def stamp_name(annotation: Dictionary) -> str | None:
    """The serial in the name of one of our annotations; `None` for anything else."""
    named_by = {"/Widget": "/T", "/Stamp": "/NM"}.get(name(entry(annotation, "/Subtype")))
    return serial_in_name(text(entry(annotation, named_by))) if named_by else None


def _later_on_page(reader: Reader, stamp: Dictionary, revision: int) -> Iterator[Dictionary]:
    """What was added to the page of a stamp later, except stamps of ours.

    The page is the one our own annotation names; what a stranger's widget says about its page
    need not be true.
    """
    page = reference(raw(stamp, "/P"))
    if page is None:
        raise DocumentBroken("a stamp without a page")
    now = dictionary(reader.get_object(page))  # type: ignore[no-untyped-call]
    for item in items(now, "/Annots"):
        other = dictionary(item)
        if other is None or stamp_name(other) is not None:
            continue
        if _is_later(reader, reference(item), revision):
            yield other


def _is_later(reader: Reader, place: Reference | None, revision: int) -> bool:
    return place is not None and reader.xrefs.get_introducing_revision(place) > revision


def _corners(annotation: Dictionary) -> Rectangle:
    """Left, low, right, top; an empty rectangle for a field that is not drawn."""
    corners = [number(item) for item in array(entry(annotation, "/Rect")) or ()]
    numbers = [corner for corner in corners if corner is not None and math.isfinite(corner)]
    if not corners:
        return 0.0, 0.0, 0.0, 0.0
    if len(corners) != 4 or len(numbers) != 4:
        raise DocumentBroken("a rectangle without four numbers")
    left, right = sorted((numbers[0], numbers[2]))
    low, top = sorted((numbers[1], numbers[3]))
    return left, low, right, top


def _area(corners: Rectangle) -> float:
    return (corners[2] - corners[0]) * (corners[3] - corners[1])


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]
