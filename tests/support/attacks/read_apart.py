"""Attacks by values that readers take for different ones: numbers of more than 32 bits, names of fields, prefixes,
strings that are deciphered by another number; and by values that nobody looks at.
"""

import io
import re
from collections.abc import Callable, Mapping

import pikepdf

from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.syntax import Ref
from tests.support.attacks.by_hand import (
    FIELD,
    MORE,
    PICTURE,
    SIGNATURE,
    WIDGET,
    objects_of,
    signed,
    value_of,
)
from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.attacks.later import object_of, signed_by_hand
from tests.support.pdfmaker import Body, Stream, letter, tail_of, text_of, update

_FORM = b"/Type/XObject/Subtype/Form"
_CERTIFICATE = b"0\x82abc"
_WORDS = Stream(b"", b"BT /F1 24 Tf 72 760 Td (Rp 99.000.000) Tj ET")

Make = Callable[[Lab], bytes]

HONEST: dict[str, Attack] = {}
CASES: dict[str, Attack] = {}


# -- numbers -------------------------------------------------------------------------------------------


def _placed(rectangle: bytes, picture: bytes = _FORM + b"/BBox[0 0 280 60]") -> Make:
    """A stranger's signature in this rectangle, with a picture of these entries."""

    def make(lab: Lab) -> bytes:
        objects = objects_of(lab.sealed)
        objects[FIELD] = re.sub(rb"/Rect\[[^\]]*\]", b"/Rect[%b]" % rectangle, WIDGET % b"")
        objects[PICTURE] = Stream(picture, b"1 0 0 rg 0 0 280 60 re f /F Do")
        objects[MORE] = Stream(_FORM + b"/BBox[0 0 9 4294967356.0]", b"0 0 9 9 re f")
        if b"%d 0 R" % MORE not in picture:
            del objects[MORE]
        return signed(lab, lab.sealed, objects)

    return make


_PAPER = b"300 300 450 360"
_WITH_FORM = _FORM + b"/BBox[0 0 150 60]/Resources<</XObject<</F %d 0 R>>>>" % MORE
_FAR = b"/Matrix[1 0 0 1 4294967296.0 0]"

CASES |= {
    **{
        f"place-{name}": changed(_placed(rectangle), "unchanged")
        for name, rectangle in {
            "beyond-32-bits": b"4294967356 740 4294967636 800",
            "beyond-32-bits-with-a-fraction": b"4294967356.0 740 4294967636.0 800",
            "far-to-the-left": b"-4294967236.0 740 -4294966956.0 800",
            "beyond-a-million": b"2000000 740 2000280 800",
        }.items()
    },
    "picture-shifted-beyond-32-bits": changed(
        _placed(_PAPER, _FORM + b"/BBox[0 0 150 60]" + _FAR), "unchanged"
    ),
    "form-in-a-picture-beyond-32-bits": changed(_placed(_PAPER, _WITH_FORM), "unchanged"),
}


# -- streams where none is drawn ----------------------------------------------------------------------


def _locked(entries: bytes) -> Make:
    """A field whose lock, or whose wishes, lead to a stream."""
    objects: dict[int, Body] = {
        210: b"<</Type/SigFieldLock/Action/All/X 211 0 R>>",
        211: _WORDS,
    }
    return lambda lab: signed_by_hand(lab, lab.sealed, objects, field=entries)


CASES |= {
    "lock-with-a-stream": changed(_locked(b"/Lock 210 0 R"), "unchanged"),
    "wishes-with-a-stream": changed(
        _locked(b"/SV<</Type/SV/X 211 0 R>>/Lock 210 0 R"), "unchanged"
    ),
}


# -- names of fields -----------------------------------------------------------------------------------


def _named(field: bytes, name: bytes, parent: bytes = b"") -> Make:
    """The sealed document has a text on its last page whose field is in no form; a later signature's field is
    called as that is."""

    def make(lab: Lab) -> bytes:
        made = letter(6)
        made[14] = text_of(made[14])[:-2] + b"/Annots[30 0 R]>>"
        made[30] = (
            b"<</Type/Annot/Subtype/Widget/T%b/V(Rp 1.000)/DA(/F1 24 Tf 0 g)"
            b"/Rect[60 640 340 700]/F 4/P 14 0 R%b>>"
        ) % (field, parent or b"/FT/Tx")
        made[31] = b"<</FT/Tx/T(jumlah)/Kids[30 0 R]>>"
        sealed = lab.sealed_of(made)
        objects = objects_of(sealed)
        objects[FIELD] = (WIDGET % b"").replace(b"(Notaris)", name)
        return signed(lab, sealed, objects)

    return make


_WIDE = "jumlah".encode("utf-16-be").hex().encode()
_NARROW = "jumlah".encode("utf-16-le").hex().encode()

HONEST |= {
    "by-hand-named-otherwise": Attack(_named(b"(jumlah)", b"(Notaris)"), "genuine_then_signed"),
}

CASES |= {
    **{
        f"field-named-as-a-text-{name}": changed(_named(*names), "unchanged")
        for name, names in {
            "that-is-in-no-form": (b"(jumlah)", b"(jumlah)"),
            "in-another-encoding": (b"(jumlah)", b"<FEFF%b>" % _WIDE),
            "with-a-language": (b"(jumlah)", b"<FEFF001B0065006E001B%b>" % _WIDE),
            "with-half-a-character": (b"<FEFF%b00>" % _WIDE, b"(jumlah)"),
            "in-the-other-order-of-octets": (b"<FFFE%b>" % _NARROW, b"(jumlah)"),
            "below-another": (b"(rupiah)", b"(jumlah.rupiah)", b"/Parent 31 0 R"),
        }.items()
    },
}


# -- fields that waited for a signature ----------------------------------------------------------------


def _waiting(kind: bytes) -> Make:
    """What waited for a signature is drawn as something else by some readers, and no more when it is signed."""

    def make(lab: Lab) -> bytes:
        made = letter(2)
        made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 28 0 R>>"
        made[28] = b"<</Fields[30 0 R]>>"
        made[4] = text_of(made[4])[:-2] + b"/Annots[30 0 R]>>"
        made[30] = b"<</Type/Annot/FT/Sig/T(Saksi)/F 4/P 4 0 R%b>>" % kind
        sealed = lab.sealed_of(made)
        filled = object_of(sealed, 30)[:-2] + b"/AP<</N %d 0 R>>/V %d 0 R>>" % (PICTURE, SIGNATURE)
        objects: dict[int, Body] = {30: filled, SIGNATURE: objects_of(sealed)[SIGNATURE]}
        objects[PICTURE] = Stream(_FORM + b"/BBox[0 0 150 60]", b" ")
        return signed(lab, sealed, objects)

    return make


HONEST |= {
    "by-hand-waiting": Attack(
        _waiting(b"/Subtype/Widget/Rect[%b]" % _PAPER), "genuine_then_signed"
    ),
}

CASES |= {
    **{
        f"waiting-field-that-is-{name}": changed(_waiting(kind), "unchanged")
        for name, kind in {
            "a-line": b"/Subtype/Line/L[60 768 340 768]/C[1 0 0]/BS<</W 6>>/Rect[0 0 0 0]",
            "handwriting": b"/Subtype/Ink/InkList[[60 768 340 768]]/C[1 0 0]/Rect[%b]" % _PAPER,
            "of-no-kind": b"/Rect[%b]" % _PAPER,
        }.items()
    },
}


# -- strings that are deciphered by the number of their object -----------------------------------------


def _palette_in_a_page(lab: Lab) -> bytes:
    """A page inherits the colours of a palette, and a signature copies them into it as they stand: there they are
    deciphered by the number of the page."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.original)) as opened:
        rules = pikepdf.Encryption(owner="rahasia", user="", R=3, aes=False, metadata=False)
        modes = pikepdf.ObjectStreamMode.disable
        opened.save(out, encryption=rules, object_stream_mode=modes)
    enciphered = out.getvalue()
    document = open_document(enciphered, bytes_max=len(enciphered))
    tree = document.root.get(b"/Pages")
    kids = document.items(document.dictionary(tree), b"/Kids")
    assert isinstance(tree, Ref)
    assert isinstance(kids[0], Ref)
    assert document.cipher is not None
    white = document.cipher.encrypt_string(tree, b"\xff" * 768).hex().encode()
    resources = b"/Resources<</ColorSpace<</C[/Indexed/DeviceRGB 255<%b>]>>>>>>" % white
    page = re.sub(rb"/Resources <<.*?>> >>", b"", value_of(enciphered, kids[0].number))
    inherited: dict[int, Body] = {
        tree.number: value_of(enciphered, tree.number)[:-2] + resources,
        kids[0].number: page,
    }
    sealed = lab.seal(update(enciphered, inherited))
    copied = {kids[0].number: object_of(sealed, kids[0].number)[:-2] + resources}
    return signed_by_hand(lab, sealed, copied)


CASES |= {
    "inherited-palette-enciphered": changed(_palette_in_a_page, "unchanged"),
}


# -- what is said of the document ----------------------------------------------------------------------

_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about=""%b</rdf:Description></rdf:RDF></x:xmpmeta>'
)
_TITLE = b'<%b:title><rdf:Alt><rdf:li xml:lang="x-default">%b</rdf:li></rdf:Alt></%b:title>'
_MEDIA = b' xmlns:%b="http://ns.adobe.com/xap/1.0/mm/"'
_DUBLIN = b' xmlns:%b="http://purl.org/dc/elements/1.1/"'
_HAD = _PACKET % (_DUBLIN % b"dc" + b">" + _TITLE % (b"dc", b"Surat", b"dc"))


def _saying(packet: bytes, sealed_packet: bytes = b"") -> Make:
    """Evidence with metadata, which were others before or not there."""

    def make(lab: Lab) -> bytes:
        made, entries = letter(2), b"/Type/Metadata/Subtype/XML"
        if sealed_packet:
            made[1] = text_of(made[1])[:-2] + b"/Metadata 60 0 R>>"
            made[60] = Stream(entries, sealed_packet)
        sealed = lab.sealed_of(made)
        number = 60 if sealed_packet else tail_of(sealed)[1] + 2
        said = b"" if sealed_packet else b"/Metadata %d 0 R" % number
        return _proven(sealed, said, more={number: Stream(entries, packet)})

    return make


def _proven(
    sealed: bytes, root: bytes, store: bytes = b"", more: Mapping[int, Body] | None = None
) -> bytes:
    """The document with evidence, and these entries in its catalog and its store."""
    size = tail_of(sealed)[1]
    objects: dict[int, Body] = {
        1: object_of(sealed, 1)[:-2] + b"/DSS %d 0 R%b>>" % (size, root),
        size: b"<</Certs[%d 0 R]%b>>" % (size + 1, store),
        size + 1: Stream(b"", _CERTIFICATE),
    }
    return update(sealed, objects | dict(more or {}))


def _media(prefix: bytes, *, title: bytes = b"LUNAS") -> bytes:
    return _PACKET % (_MEDIA % prefix + b">" + _TITLE % (prefix, title, prefix))


_MOVED = _PACKET % (
    (_MEDIA % b"dc")
    + (_DUBLIN % b"e")
    + b">"
    + _TITLE % (b"e", b"Surat", b"e")
    + _TITLE % (b"dc", b"LUNAS", b"dc")
)
_RENAMED = _PACKET % (_DUBLIN % b"e" + b">" + _TITLE % (b"e", b"Surat", b"e"))

HONEST |= {
    "genuine-with-media-management": Attack(_saying(_media(b"xmpMM")), "genuine"),
    "genuine-with-media-management-by-a-made-up-prefix": Attack(_saying(_media(b"ns0")), "genuine"),
}

CASES |= {
    "title-by-another-namespace": changed(_saying(_media(b"dc")), "unchanged"),
    "title-by-another-namespace-in-capitals": changed(_saying(_media(b"DC")), "unchanged"),
    "title-beside-the-one-that-was": changed(_saying(_MOVED, _HAD), "unchanged"),
    "title-by-another-prefix": changed(_saying(_RENAMED, _HAD), "unchanged"),
}


# -- what nobody looks at ------------------------------------------------------------------------------


def _security(entries: bytes, verified: bytes = b"") -> Make:
    """Evidence whose store, and what it says of one signature, has these entries."""
    store = b"%b/VRI<</%b<<%b>>>>" % (entries, b"A" * 40, verified)
    return lambda lab: _proven(lab.sealed, b"", store)


def _extension(entries: bytes) -> Make:
    return lambda lab: _proven(lab.sealed, b"/Extensions<</ESIC<<%b>>>>" % entries)


_LEVEL = b"/Type/DeveloperExtensions/BaseVersion/1.7/ExtensionLevel 5"

HONEST |= {
    "genuine-with-an-extension": Attack(_extension(_LEVEL + b"/URL(https://x.example)"), "genuine"),
    "genuine-with-evidence-of-a-time": Attack(
        _security(b"/Type/DSS", b"/Type/VRI/TU(D:20261124080000Z)"), "genuine"
    ),
}

CASES |= {
    **{
        f"extension-with-{name}": changed(_extension(entries), "unchanged")
        for name, entries in {
            "a-nested-address": _LEVEL + b"/URL<</A<</A 0>>>>",
            "an-address-in-a-list": _LEVEL + b"/URL[(https://x.example)]",
            "a-version-that-is-a-string": b"/BaseVersion(1.7)/ExtensionLevel 5",
            "a-level-that-is-no-number": b"/BaseVersion/1.7/ExtensionLevel[5]",
            "a-revision-that-is-a-name": _LEVEL + b"/ExtensionRevision/A",
        }.items()
    },
    "evidence-of-a-nested-type": changed(_security(b"/Type[/DSS]"), "unchanged"),
    "evidence-of-a-nested-time": changed(_security(b"", b"/TU<</A 0>>"), "unchanged"),
    "evidence-of-a-nested-kind": changed(_security(b"", b"/Type<</A 0>>"), "unchanged"),
    "nested-tooltip": changed(_locked(b"/TU<</A 0>>"), "unchanged"),
}
