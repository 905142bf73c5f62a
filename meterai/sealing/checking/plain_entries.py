"""Dictionaries among the resources of a content, as all readers take them: layers, fonts, states, shadings, tiles.

What is found otherwise raises `NotDrawn`; `drawn_alike` says who draws it.
"""

import re

from meterai.sealing.checking import soft_masks
from meterai.sealing.checking.colour_spaces import Resolve
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.sandbox.rendering import NotDrawn

_BLENDED = {"/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken"}
_UNBLENDED = {"/Normal", "/Compatible"}
_OF_DEVICES = {"/TR", "/TR2", "/HT", "/BG", "/BG2", "/UCR", "/UCR2"}
_OF_SIGNS = re.compile(r"/(?:[A-Z]{6}\+)?(?:Symbol|ZapfDingbats|Wingdings|Webdings)")
_BY_NUMBER = re.compile(r"/(?:g|cid|glyph|index|gid)\d+", re.IGNORECASE)

Entries = dict[str, StrictValue]


def refuse_layer(entries: Entries, resolved: Resolve) -> None:
    """A membership (table 97) that may show, with some layers off, what all of them hide."""
    policy = resolved(entries.get("/P", "/AnyOn"))
    is_membership = resolved(entries.get("/Type")) == "/OCMD"
    if is_membership and ("/VE" in entries or policy not in ("/AnyOn", "/AllOn")):
        raise NotDrawn


def refuse_font(entries: Entries, resolved: Resolve) -> None:
    """A font that is not in the file has letters that every reader has another font for."""
    if entries.get("/Subtype") not in ("/Type1", "/TrueType", "/MMType1"):
        return
    described = _entries(entries.get("/FontDescriptor"), resolved)
    if described.keys() & {"/FontFile", "/FontFile2", "/FontFile3"}:
        return
    name = resolved(entries.get("/BaseFont"))
    if entries["/Subtype"] != "/Type1" and _OF_SIGNS.match(str(name)):
        raise NotDrawn
    encoding = _entries(entries.get("/Encoding"), resolved)
    named = resolved(encoding.get("/Differences"))
    for one in named if isinstance(named, list) else ():
        if isinstance(one, str) and _BY_NUMBER.fullmatch(one):
            raise NotDrawn


def refuse_state(entries: Entries, resolved: Resolve) -> None:
    """Blending, opacity and soft masks (tables 57, 134 and 142)."""
    blended = resolved(entries.get("/BM", "/Normal"))
    if not isinstance(blended, str) or blended not in _BLENDED:
        raise NotDrawn
    # Curves and screens of a device, which some readers apply (table 57).
    for key in _OF_DEVICES & entries.keys():
        applied = resolved(entries[key])
        # A list is the ground of a field (table 192).
        if not isinstance(applied, list) and applied not in ("/Default", "/Identity"):
            raise NotDrawn
    for key in {"/ca", "/CA"} & entries.keys():
        opacity = resolved(entries[key])
        if type(opacity) not in (int, float) or not 0 <= float(str(opacity)) <= 1:
            raise NotDrawn
    # That of an image is another image.
    mask = resolved(entries.get("/SMask", "/None"))
    if entries.get("/Subtype") != "/Image" and not soft_masks.is_drawn_alike(mask, resolved):
        raise NotDrawn


def is_blended(entries: Entries, resolved: Resolve) -> bool:
    """True if anything shines through what is drawn with this, or a group is made of it."""
    opacity = (resolved(entries.get(key, 1)) for key in ("/ca", "/CA"))
    is_opaque = all(one == 1 for one in opacity) and "/SMask" not in entries
    return (
        not is_opaque
        or "/Group" in entries
        or resolved(entries.get("/BM", "/Normal")) not in _UNBLENDED
    )


def refuse_shading(entries: Entries, resolved: Resolve) -> None:
    """A shading with a background, or from a point to itself (tables 77 to 80)."""
    if "/ShadingType" not in entries:
        return
    ends = resolved(entries.get("/Coords"))
    is_point = False
    if isinstance(ends, list) and len(ends) in (4, 6):
        half = len(ends) // 2
        is_point = ends[:half] == ends[half:] or (half == 3 and not ends[2] and not ends[5])
    if is_point or "/Background" in entries:
        raise NotDrawn


def refuse_tiles(entries: Entries, resolved: Resolve) -> None:
    """A pattern of tiles without a box or steps (table 74)."""
    box, kind, paint, across, up = (
        resolved(entries.get(key))
        for key in ("/BBox", "/PatternType", "/PaintType", "/XStep", "/YStep")
    )
    is_whole = isinstance(box, list) and len(box) == 4 and kind == 1 and paint in (1, 2)
    if not is_whole or not across or not up:
        raise NotDrawn


def _entries(value: StrictValue, resolved: Resolve) -> Entries:
    found = resolved(value)
    return found if isinstance(found, dict) else {}
