"""Soft masks of the graphics state that all readers draw alike (ISO 32000-2, section 11.6.5.2).

| what | who draws it otherwise |
|---|---|
| a group that says of itself that it is none, or nothing | poppler, Ghostscript: no mask |
| a group in inks, a list or Lab; a ground of more or fewer numbers than its space has | poppler: no mask |
| a ground for a group without a space, or for a mask by opacity | PDFium, MuPDF: black |
| a kind that is none; a curve | pdf.js, pdf_oxide, MuPDF |
"""

from meterai.sealing.checking.colour_spaces import MEASURED, PATTERN, Resolve, components
from meterai.sealing.pdf.strict import StrictValue

_KINDS = ("/Luminosity", "/Alpha")


def is_drawn_alike(mask: StrictValue, resolved: Resolve) -> bool:
    """True for no mask, or one (table 142) that means the same to all."""
    if mask == "/None":
        return True
    if not isinstance(mask, dict):
        return False
    form = _entries(mask.get("/G"), resolved)
    group = _entries(form.get("/Group"), resolved)
    kind, curve = (resolved(mask.get(key)) for key in ("/S", "/TR"))
    if kind not in _KINDS or curve not in (None, "/Identity"):
        return False
    if form.get("/Subtype") != "/Form" or resolved(group.get("/S")) != "/Transparency":
        return False
    space, ground = (resolved(one) for one in (group.get("/CS"), mask.get("/BC")))
    if space is not None and not is_measured(space, resolved):
        return False
    if ground is None:
        return True
    count = components(space, resolved)
    return kind == _KINDS[0] and isinstance(ground, list) and len(ground) == count


def is_measured(space: StrictValue, resolved: Resolve) -> bool:
    """True for a space of a device, or one that is measured by it."""
    space = resolved(space)
    family = resolved(space[0]) if isinstance(space, list) and space else space
    return family in MEASURED and 0 < (components(space, resolved) or 0) < PATTERN


def _entries(value: StrictValue, resolved: Resolve) -> dict[str, StrictValue]:
    found = resolved(value)
    return found if isinstance(found, dict) else {}
