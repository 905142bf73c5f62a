"""Documents that are laid out for a later update to use: no stamp elsewhere, no good verdict on another look."""

from collections import Counter

from fuzz.prepared import _shows_the_stamp_elsewhere, outcomes
from meterai.sealing import Placement
from tests.support.pdfmaker import letter, whole

FILES = 24  # of one seed; a fifth has a good verdict and is drawn by four renderers


def test_what_is_prepared_is_of_no_use(lab):
    made = list(outcomes(lab, 4, FILES))
    found = [one.finding for one in made if one.finding is not None]
    assert not found, [(one.renderer, one.page) for one in found]
    counted = Counter(one.word for one in made)
    assert counted["good"] > 1, counted
    assert counted["sealed"] > 1, counted


def test_the_fuzzer_sees_a_stamp_on_another_page(lab):
    document = whole(letter(2))
    assert _shows_the_stamp_elsewhere(lab.seal(document, Placement(2, 20, 20, 80)))
    assert not _shows_the_stamp_elsewhere(lab.seal(document, Placement(1, 20, 20, 80)))
