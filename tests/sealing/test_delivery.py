"""A sealed document is verified before delivery; one that does not hold is refused by name."""

import pytest

from meterai.sealing import (
    HashedDocument,
    Placement,
    SealDoesNotHold,
    Verdict,
    seal,
)
from meterai.sealing.pdf.update import Sealed
from meterai.sealing.writing.affixing import affix
from tests.support.pdfmaker import letter, update, whole

HERE = Placement(1, 20, 20, 65)


@pytest.fixture
def sealing(bench):
    def work(document, place=HERE, **more):
        more = {"at": bench.at, "check_url": bench.check_url, "specimen": True} | more
        return seal(document, bench.stamps(place), bench.issuer, **more)

    return work


def test_kept_hash_gives_same_seal(bench, sealing):
    document = whole(letter(2))
    delta = sealing(document, hashed=HashedDocument.of(document))
    assert bench.verify(document + delta.data).verdict is Verdict.GENUINE
    assert delta.sha256_stamped == HashedDocument.of(document + delta.data).sha256


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.replace(b"/Reason", b"/Raison"),
        lambda data: data.replace(b"/ByteRange[0 ", b"/ByteRange[1 "),
        lambda data: data[:-1],
        lambda data: data.replace(b"/Subtype/Widget", b"/Subtype/Wadget"),
    ],
)
def test_seal_that_does_not_hold_is_not_delivered(monkeypatch, sealing, spoil):
    """A fault happens between reading a document and signing it."""

    def spoilt(*arguments, **more):
        before, after = affix(*arguments, **more)
        return Sealed(spoil(before), spoil(after))

    monkeypatch.setattr("meterai.sealing.writing.engine.affix", spoilt)
    with pytest.raises(SealDoesNotHold) as refused:
        sealing(whole(letter(2)))
    assert refused.value.facts()["failed"]


def test_document_changed_after_earlier_seal_is_judged_by_new_seal_alone(lab, sealing):
    changed = update(lab.sealed, {3: b"<</Type/Font/Subtype/Type1/BaseFont/Courier>>"})
    assert sealing(changed, Placement(2, 20, 20, 65)).serials
