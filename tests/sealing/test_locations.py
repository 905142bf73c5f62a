"""Where the stamps of a document are, as it is seen; for pictures of it."""

import io

import pikepdf
import pytest

from meterai.sealing import LAST_PAGE, Placement, locating
from meterai.sealing.sandbox.bounded import finish
from tests.support.attacks import Lab
from tests.support.pdf import pdf

PLACED = (Placement(1, 60, 70, 80), Placement(LAST_PAGE, 300, 500, 60), Placement(1, 200, 70, 80))


def turned(quarter: int) -> bytes:
    document = pikepdf.open(io.BytesIO(pdf(pages=2)))
    for page in document.pages:
        page.Rotate = 90 * quarter
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("quarter", range(4))
def test_every_stamp_is_found_where_it_was_placed(lab: Lab, quarter: int) -> None:
    found = finish(locating(lab.seal(turned(quarter), *PLACED)))
    as_placed = [(1 if one.page == 1 else 2, one.x, one.y, one.width, one.height) for one in PLACED]
    seen = [(one.page, *vars_of(one.rectangle)) for one in found]
    assert sorted(seen) == [pytest.approx(one, abs=0.05) for one in sorted(as_placed)]


def vars_of(rectangle: object) -> tuple[float, ...]:
    return tuple(getattr(rectangle, name) for name in ("x", "y", "width", "height"))


def test_a_signature_of_somebody_else_is_no_stamp(lab: Lab) -> None:
    assert finish(locating(lab.signed(lab.original))) == []


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"\0" * 1000])
def test_what_cannot_be_read_has_no_stamps(content: bytes) -> None:
    assert finish(locating(content)) == []
