"""Every refusal by name, and no other exception for any bytes."""

import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meterai.kit.refusal import Refusal
from meterai.sealing import (
    LAST_PAGE,
    ChangesForbidden,
    CheckReport,
    DocumentBroken,
    Placement,
    PlacementOnStamp,
    PlacementOutsidePage,
    PlacementsOverlap,
    SignatureRangeMalformed,
    Stamp,
    Verdict,
    ingest,
    inspect,
    seal,
)
from tests.support.pdfmaker import letter, text_of, whole

HERE = Placement(1, 20, 20, 65)
SPOILT = {Verdict.ALTERED, Verdict.FORGED}


def refusal(bench, original, *placements):
    """Refusal by `inspect` and `seal`, which must agree."""
    with pytest.raises(Refusal) as sealing:
        bench.delta(original, *placements)
    with pytest.raises(Refusal) as inspecting:
        inspect(original, placements or [HERE])
    assert type(sealing.value) is type(inspecting.value)
    assert sealing.value.facts() == inspecting.value.facts()
    return sealing.value


@pytest.mark.parametrize("count", [b"0", b"1", b"-7", b"1000000000", b"null", b"(two)"])
def test_page_tree_that_miscounts_is_repaired(bench, count):
    tree = b"<</Type/Pages/Kids[4 0 R 6 0 R]/Count %b>>" % count
    prepared = ingest(whole(letter(2) | {2: tree}), [Placement(-1, 20, 20)])
    assert prepared.is_repaired
    sealed = bench.sealed(prepared.document, Placement(-1, 20, 20))
    assert bench.verify(sealed).verdict is Verdict.GENUINE


@pytest.mark.parametrize(
    "placement",
    [Placement(1, 535, 20, 65), Placement(1, 20, 760, 65), Placement(2, 0, 700, 300)],
)
def test_placement_outside_page_is_refused(bench, plain, placement):
    found = refusal(bench, plain, placement)
    assert isinstance(found, PlacementOutsidePage)
    assert found.facts() == {
        "x": placement.x,
        "y": placement.y,
        "width": placement.width,
        "height": round(placement.height, 2),
        "page_width": 595.0,
        "page_height": 842.0,
    }


@pytest.mark.parametrize("second", [HERE, Placement(1, 30, 30), Placement(LAST_PAGE, 20, 20)])
def test_overlapping_stamps_are_refused(bench, make_pdf, second):
    """With each name of the page: the last page of a single one is the first."""
    one_page = make_pdf(size=(595, 842))
    elsewhere = Placement(1, 300, 600)
    found = refusal(bench, one_page, HERE, elsewhere, second)
    assert isinstance(found, PlacementsOverlap)
    assert found.facts() == {"first": 1, "second": 3, "page": 1}


@pytest.mark.parametrize("second", [HERE, Placement(1, 40, 60, 65), Placement(LAST_PAGE, 20, 20)])
def test_stamp_over_sealed_one_is_refused(bench, make_pdf, second):
    """Its code would be unreadable, and its seal still genuine."""
    one_page = make_pdf(size=(595, 842))
    sealed = one_page + bench.delta(one_page, HERE).data
    found = refusal(bench, sealed, Placement(1, 300, 600), second)
    assert isinstance(found, PlacementOnStamp)
    assert found.facts() == {"number": 2, "page": 1}
    beside = Placement(1, HERE.x + HERE.width, HERE.y, HERE.width)
    assert inspect(sealed, [beside]).signatures == 1


def test_document_that_forbids_changes_is_refused(bench, plain):
    sealed = bench.sealed(plain)
    # The permission is one digit, so the certification can be restricted in place.
    assert sealed.count(b"/P 2") == 1
    assert isinstance(refusal(bench, sealed.replace(b"/P 2", b"/P 1"), HERE), ChangesForbidden)


@pytest.mark.parametrize(
    "original",
    [
        b"%PDF-1.7\n",
        b"%PDF-1.7\nstartxref\n0\n%%EOF",
        b"%PDF-1.7\n" + b"[" * 100_000 + b"\nstartxref\n9\n%%EOF\n",
        b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n"
        + b"<</A" * 50_000
        + b"\nstartxref\n9\n%%EOF\n",
    ],
)
def test_broken_document_is_refused(bench, original):
    assert isinstance(refusal(bench, original, HERE), DocumentBroken)


@pytest.mark.parametrize(
    "row",
    [b"/W[0 0 0]/Size 2000000000", b"/W[1 2 1]/Size 9/Index[0 2000000000]", b"/W[9 9 9]/Size 1"],
)
def test_cross_reference_stream_cannot_claim_billions_of_rows(bench, row):
    original = (
        b"%PDF-1.7\n1 0 obj\n<</Type/XRef" + row + b"/Root 2 0 R/Length 0>>\nstream\n\nendstream\n"
        b"endobj\nstartxref\n9\n%%EOF\n"
    )
    assert isinstance(refusal(bench, original, HERE), DocumentBroken)


def outcome_of(bench, original):
    """Outcome of both entries on hostile bytes; raises anything but the promised outcomes."""
    before = bench.verify(original)
    assert isinstance(before, CheckReport)
    stamp = Stamp(bench.serial(), HERE)
    try:
        delta = seal(
            original, [stamp], bench.issuer, at=bench.at, check_url=bench.check_url, specimen=True
        )
    except Refusal as found:
        kind = found.code
    else:
        kind = "sealed"
        after = bench.verify(original + delta.data)
        if before.verdict in SPOILT and after.verdict is Verdict.GENUINE:
            # The spoilt seal was removed from the form, and the new seal covers its own serial only.
            assert after.serials == (str(stamp.serial),)
        else:
            assert after.verdict is Verdict.GENUINE or {before.verdict, after.verdict} <= SPOILT
    return kind


TOKENS = [
    b"<<", b">>", b"[", b"]", b"(", b")", b"<", b">", b"/", b"0 0 R", b"1 0 R", b"obj", b"endobj",
    b"stream", b"null", b"-1", b"99999999999", b"true", b"/Kids", b"/Parent", b"%", b"\0",
    b"/Type", b"xref", b"trailer", b"1e9", b".", b"#",
]  # fmt: skip


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False), edits=st.sampled_from([1, 1, 2, 5]))
def test_mutated_documents_are_sealed_or_refused(bench, make_pdf, plain, chance, edits):
    mutated = bytearray(chance.choice([plain, make_pdf(objstm=True), bench.sealed(plain)]))
    for _ in range(edits):
        at = chance.randrange(1 << 20) % len(mutated)
        token = chance.choice(TOKENS)
        match chance.randrange(4):
            case 0:
                mutated[at] = chance.randrange(256)
            case 1:
                mutated[at : at + len(token)] = token
            case 2:
                del mutated[at : at + chance.randrange(1, 40)]
            case _:
                mutated[at:at] = token
    outcome_of(bench, bytes(mutated))


def test_deep_nesting_does_not_end_the_process(bench, plain):
    deep = b"[" * 20_000 + b"]" * 20_000
    nested = plain.replace(b"/MediaBox", b"/Deep" + deep + b"/MediaBox", 1)
    limit = sys.getrecursionlimit()
    assert outcome_of(bench, nested) == "document_broken"
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    "entries",
    [
        b"/Annots<</A 1>>",
        b"/Annots 77 0 R/Annots[]",
        b"/Annots(x)",
        b"/Annots 3",
    ],
)
def test_unchangeable_document_is_refused_before_payment(bench, plain, entries):
    """An order inspects the document; sealing follows the payment and must not be the first to refuse."""
    page = plain.index(b"/Type /Page ") if b"/Type /Page " in plain else plain.index(b"/MediaBox")
    broken = plain[:page] + entries + b" " + plain[page:]
    mended = rewritten(broken)
    place = Placement(1, 20, 20)
    with pytest.raises(DocumentBroken):
        bench.delta(mended, place)
    with pytest.raises(DocumentBroken):
        inspect(mended, [place])


def rewritten(document):
    """The document with a cross-reference that fits it again."""
    offsets = {int(one[1]): one.start(1) for one in re.finditer(rb"\n(\d+) 0 obj", document)}
    start = document.index(b"xref\n")
    rows = [b"0000000000 65535 f \n"]
    rows += [b"%010d 00000 n \n" % offsets[number] for number in sorted(offsets)]
    trailer = document[document.index(b"trailer") : document.index(b"startxref")]
    table = b"xref\n0 %d\n" % len(rows) + b"".join(rows) + trailer
    return document[:start] + table + b"startxref\n%d\n%%%%EOF\n" % start


def signed_with(ranges):
    """A letter with a signature of that byte range."""
    value = b"<</Type/Sig/Filter/Adobe.PPKLite/ByteRange %b/Contents<%b>>>" % (ranges, b"00" * 600)
    made = letter(1)
    made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[8 0 R]/SigFlags 3>>>>"
    made[8] = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Lama)/Rect[0 0 0 0]/V 9 0 R>>"
    made[9] = value
    return whole(made)


@pytest.mark.parametrize(
    "ranges",
    [
        b"[0 100 200 9000000]",
        b"[0 100 50 100]",
        b"[0 -100 200 100]",
        b"[0 100 -200 100]",
        b"[1 100 200 100]",
        b"[100 100 0 100]",
        b"[0 100 200]",
        b"[0 100 200 1.5]",
        b"[0 100 200 true]",
        b"[]",
        b"null",
        b"[0 10 20 10 25 10]",
        b"[" + b"0 0 " * 40 + b"]",
    ],
)
def test_signature_over_invalid_ranges_is_refused(bench, ranges):
    assert isinstance(refusal(bench, signed_with(ranges)), SignatureRangeMalformed)


@pytest.mark.parametrize("ranges", [b"[0 100 200 100]", b"[0 100 100 0]", b"[0 10 20 10 30 10]"])
def test_signature_over_valid_ranges_is_accepted(ranges):
    assert inspect(signed_with(ranges), [HERE]).signatures == 1


def test_direct_page_dictionaries_are_repaired_first(bench):
    """Only some readers count such a page, so the stamp would be on another page in others."""
    made = letter(2)
    page = made.pop(4)
    made[2] = b"<</Type/Pages/Kids[%b 6 0 R]/Count 2>>" % text_of(page)
    with pytest.raises(DocumentBroken):
        inspect(whole(made), [HERE])
    prepared = ingest(whole(made), [HERE])
    assert prepared.is_repaired
    assert prepared.inspection.pages == 2
    assert bench.verify(bench.sealed(prepared.document)).verdict is Verdict.GENUINE
