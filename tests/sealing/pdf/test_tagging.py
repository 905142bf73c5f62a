"""Tagged documents: the stamp gets an element in each form of the structure tree."""

import io

import pikepdf
import pytest

from meterai.sealing import Placement, Verdict
from tests.support.pdfmaker import letter, whole

PLACES = [Placement(1, 20, 20, 65), Placement(2, 20, 20, 65)]


def tagged(root, **more):
    objects = letter(2)
    objects[1] = b"<</Type/Catalog/Pages 2 0 R/StructTreeRoot 20 0 R/MarkInfo<</Marked true>>>>"
    objects[20] = b"<</Type/StructTreeRoot%b>>" % root
    return whole(objects | {int(name[1:]): body for name, body in more.items()})


TREES = {
    "rows": tagged(b"/K[]/ParentTree 21 0 R", o21=b"<</Nums[0 null 7 null]>>"),
    "rows-inline": tagged(b"/K[]/ParentTree<</Nums[0 null 7 null]>>"),
    "rows-elsewhere": tagged(
        b"/ParentTree 21 0 R", o21=b"<</Nums 22 0 R>>", o22=b"[0 null 7 null]"
    ),
    "leaves": tagged(
        b"/K 22 0 R/ParentTree 21 0 R",
        o21=b"<</Kids[23 0 R]>>",
        o22=b"<</S/Document/P 20 0 R>>",
        o23=b"<</Limits[0 7]/Nums[0 null 7 null]>>",
    ),
    "one-element": tagged(
        b"/K<</S/Document/P 20 0 R>>/ParentTree 21 0 R", o21=b"<</Nums[7 null]>>"
    ),
    "elements-elsewhere": tagged(
        b"/K 22 0 R/ParentTree 21 0 R/ParentTreeNextKey 3", o21=b"<</Nums[7 null]>>", o22=b"[]"
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_every_stamp_has_element_with_its_serial(lab, name):
    sealed = lab.seal(TREES[name], *PLACES)
    report = lab.verify(sealed)
    assert report.verdict is Verdict.GENUINE
    with pikepdf.open(io.BytesIO(sealed)) as opened:
        root = opened.Root.StructTreeRoot
        kids = root.K if isinstance(root.K, pikepdf.Array) else [root.K]
        ours = [kid for kid in kids if "/Alt" in kid]
        assert [str(kid.S) for kid in ours] == ["/Form", "/Annot"]
        assert all("nomor seri" in str(kid.Alt) for kid in ours)
        keys = [int(kid.K.Obj.StructParent) for kid in ours]
        assert keys == [8, 9]  # above every key there was
        assert int(root.ParentTreeNextKey) == 10
        tree = pikepdf.NumberTree(root.ParentTree)
        assert [tree[key].objgen for key in keys] == [kid.objgen for kid in ours]
        assert all(page.Tabs == "/S" for page in opened.pages)


def test_signed_document_gets_no_element(lab):
    """It would change a signed document."""
    signed = lab.signed(TREES["rows"])
    assert b"/StructElem" not in lab.seal(signed)[len(signed) :]


@pytest.mark.parametrize(("rows", "is_written"), [(100_000, False), (20_000, True)])
def test_endless_tree_is_unchanged(lab, rows, is_written):
    """It would be written again as a whole, which takes too long."""
    listed = b" ".join(b"%d 20 0 R" % key for key in range(rows))
    document = tagged(b"/K[]/ParentTree 21 0 R", o21=b"<</Nums[%b]>>" % listed)
    sealed = lab.seal(document)
    assert lab.verify(sealed).verdict is Verdict.GENUINE
    assert (len(sealed) - len(document) > len(listed)) is is_written
