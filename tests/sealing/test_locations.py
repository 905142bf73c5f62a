"""Positions of the stamps of a document on its shown pages, for pictures."""

import io

import pikepdf
import pytest

from meterai.sealing import LAST_PAGE, Placement, locating
from meterai.sealing.sandbox.bounded import finish
from meterai.sealing.stamp.identifiers import FIELD_PREFIX
from tests.support.attacks import Lab
from tests.support.attacks.lab import serials_of
from tests.support.pdf import pdf

PLACED = (Placement(1, 60, 70, 80), Placement(LAST_PAGE, 300, 450, 65), Placement(1, 200, 70, 80))


def turned(quarter: int) -> bytes:
    document = pikepdf.open(io.BytesIO(pdf(pages=2)))
    for page in document.pages:
        page.Rotate = 90 * quarter
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("quarter", range(4))
def test_every_stamp_is_found_where_it_was_placed(lab: Lab, quarter: int) -> None:
    sealed = lab.seal(turned(quarter), *PLACED)
    found = finish(locating(sealed, serials_of(sealed)))
    as_placed = [(1 if one.page == 1 else 2, one.x, one.y, one.width, one.height) for one in PLACED]
    seen = [(one.page, *vars_of(one.rectangle)) for one in found]
    assert sorted(seen) == [pytest.approx(one, abs=0.05) for one in sorted(as_placed)]


def test_annotation_with_copied_name_is_not_shown_as_stamp(lab: Lab) -> None:
    """Annotations with copied names that were added before sealing do not belong to the seal."""
    with pikepdf.open(io.BytesIO(pdf(pages=2))) as document:
        for name in ("X", "03TG7W4J2N0A5D8K1R9YQB"):
            made = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Stamp,
                NM=pikepdf.String(f"{FIELD_PREFIX}{name}"),
                Rect=[50, 50, 130, 140],
            )
            document.pages[0].Annots = pikepdf.Array([document.make_indirect(made)])
        out = io.BytesIO()
        document.save(out)
    placement = Placement(2, 60, 70, 80)
    sealed = lab.seal(out.getvalue(), placement)
    ours = [one for one in serials_of(sealed) if not one.startswith("03TG7W4J")]
    [found] = finish(locating(sealed, ours))
    assert found.page == 2


def vars_of(rectangle: object) -> tuple[float, ...]:
    return tuple(getattr(rectangle, name) for name in ("x", "y", "width", "height"))
