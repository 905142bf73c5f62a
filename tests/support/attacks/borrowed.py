"""Attacks in which an update needs an object for what it adds, and takes one that was sealed.

A place that did not exist so far leads to it, and it is written anew: as a list of evidence, as metadata,
as what is said of the file.  Where it was sealed it is the content of a page, which is now another.
"""

from collections.abc import Callable, Mapping

from tests.support.attacks.by_hand import form_number
from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.attacks.later import object_of, signed_by_hand
from tests.support.attacks.updates import with_proofs
from tests.support.pdfmaker import Body, Stream, tail_of, update

_WORDS = Stream(b"", b"BT /F1 24 Tf 72 760 Td (Rp 999) Tj ET")
_METADATA = Stream(
    b"/Type/Metadata/Subtype/XML",
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">'
    b"<pdf:Producer> %b </pdf:Producer></rdf:Description></rdf:RDF></x:xmpmeta>" % _WORDS.data,
)


def _with_evidence(objects: Mapping[int, Body], catalog: bytes = b"") -> Callable[[Lab], bytes]:
    return lambda lab: with_proofs(lab, lab.sealed, dict(objects), catalog)


def _store(lab: Lab) -> bytes:
    """The content of the first page is the store of evidence."""
    root = object_of(lab.sealed, 1)[:-2] + b"/DSS 5 0 R>>"
    return update(lab.sealed, {1: root, 5: b"<</Type/DSS/Certs[71 0 R]>>", 71: _WORDS})


def _information(lab: Lab) -> bytes:
    """What the trailer calls the information is the content of the first page."""
    root = object_of(lab.sealed, 1)[:-2] + b"/DSS 70 0 R>>"
    objects: dict[int, Body] = {
        1: root,
        5: b"<</Producer(x)>>",
        70: b"<</Type/DSS/Certs[71 0 R]>>",
        71: Stream(b"", b"x"),
    }
    return update(lab.sealed, objects, trailer=tail_of(lab.sealed)[2] + b"/Info 5 0 R")


def _annotations(lab: Lab) -> bytes:
    """The annotations of the second page are its content."""
    page = object_of(lab.sealed, 6)[:-2] + b"/Annots 7 0 R>>"
    widget = b"/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/F 132/P 6 0 R"
    return signed_by_hand(lab, lab.sealed, {6: page, 7: b"[200 0 R]"}, field=widget)


def _resources(lab: Lab) -> bytes:
    """What fields are drawn with is the content of the second page."""
    number = form_number(lab.sealed)
    form = object_of(lab.sealed, number)
    font = b"<</Type/Font/Subtype/Type1/BaseFont/ZapfDingbats>>"
    objects = {number: form[:-2] + b"/DR 7 0 R>>", 7: b"<</Font<</F9 210 0 R>>>>", 210: font}
    return signed_by_hand(lab, lab.sealed, objects)


CASES: dict[str, Attack] = {
    "borrowed-for-a-list-of-evidence": changed(
        _with_evidence({70: b"<</Type/DSS/Certs 5 0 R>>", 5: b"[71 0 R]", 71: _WORDS}), "unchanged"
    ),
    "borrowed-for-the-evidence-of-a-signature": changed(
        _with_evidence({70: b"<</Type/DSS/Certs[71 0 R]/VRI 5 0 R>>", 5: b"<<>>"}), "unchanged"
    ),
    "borrowed-for-the-store-of-evidence": changed(_store, "unchanged"),
    "borrowed-for-metadata": changed(
        _with_evidence({5: _METADATA}, b"/Metadata 5 0 R"), "unchanged"
    ),
    "borrowed-for-the-information": changed(_information, "unchanged"),
    "borrowed-for-annotations": changed(_annotations, "unchanged"),
    "borrowed-for-the-resources-of-fields": changed(_resources, "unchanged"),
}
