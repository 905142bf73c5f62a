"""The delta: in the style of the section before it, rows of 20 bytes, everything else unchanged."""

import re

import pytest

from meterai.sealing import LAST_PAGE, DocumentBroken, Placement
from tests.support.pdfmaker import Stream, letter, text_of, update, whole

PLACES = [Placement(1, 20, 20, 65), Placement(LAST_PAGE, 20, 20, 65)]


def delta(lab, document):
    return lab.seal(document, *PLACES)[len(document) :]


@pytest.mark.parametrize("style", ["table", "hybrid"])
def test_table_follows_table(lab, style):
    added = delta(lab, whole(letter(2), style=style, packed=[3] if style == "hybrid" else []))
    section = added[added.index(b"\nxref\n") + 6 : added.index(b"trailer")]
    heads = re.findall(rb"^(\d+) (\d+)\n", section, re.MULTILINE)
    rows = re.findall(rb"\d{10} \d{5} [nf] \n", section)
    assert sum(int(count) for _, count in heads) == len(rows)
    assert len(section) == 20 * len(rows) + sum(len(b"%b %b\n" % head) for head in heads)
    assert b"/Type/XRef" not in added


def test_stream_follows_stream(lab):
    added = delta(lab, whole(letter(2), style="stream", packed=[1, 2, 3]))
    assert b"/Type/XRef" in added
    assert b"\nxref" not in added


def test_object_keeps_its_generation_and_unknown_entries(lab):
    objects = letter(2)
    odd = b"/Odd#20Key  (a\\)b) % a comment\n /Deep[<</A[1 2]>>] "
    objects[4] = text_of(objects[4])[:-2] + odd + b">>"
    # A page of another generation, because its number was used before.
    document = update(
        whole(objects), {4: objects[4], 2: b"<</Type/Pages/Kids[4 3 R 6 0 R]/Count 2>>"},
        generations={4: 3},
    )  # fmt: skip
    added = delta(lab, document)
    [page] = re.findall(rb"4 3 obj\n(.*?)endobj", added, re.DOTALL)
    assert odd in page
    assert b"/Annots" in page


def test_repeated_key_in_changed_dictionary_is_refused(lab):
    objects = letter(2)
    objects[4] = text_of(objects[4])[:-2] + b"/Annots[]/Annots[]>>"
    with pytest.raises(DocumentBroken, match="twice"):
        lab.seal(whole(objects))


def test_new_object_numbers_are_above_all_numbers_of_file(lab):
    """Also above numbers that only an older section has, and numbers hidden in a stream."""
    older = update(whole(letter(2)), {200: Stream(b"", b"x")})
    document = update(older, {90: Stream(b"", b"x")})
    numbers = [int(one) for one in re.findall(rb"^(\d+) 0 obj", delta(lab, document), re.MULTILINE)]
    assert set(numbers) - {1, 4, 6}
    assert min(set(numbers) - {1, 4, 6}) > 200
