"""What follows a seal, mutated: where the verdict is good, four renderers show what was sealed."""

import pytest

from fuzz.looks import Finding, findings, looked_at
from tests.support.attacks import by_hand
from tests.support.attacks.lab import EMPTY_PAPER

FILES = 60  # of each seed; a third of them cannot be sealed, and a sixth is good


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_no_good_verdict_on_what_looks_another_way(lab, seed):
    answers = list(findings(lab, seed, FILES))
    found = [answer for answer in answers if isinstance(answer, Finding)]
    assert not found, [(one.renderer, one.page) for one in found]
    assert any(answers), "nothing was looked at"


def test_the_fuzzer_sees_what_it_looks_for(lab):
    """The box of the signature is left out: so it is a page that looks another way."""
    sealed = lab.sealed
    document = by_hand.signed(lab, sealed, by_hand.objects_of(sealed))
    assert looked_at(sealed, document, [(1, EMPTY_PAPER)]) is None
    assert isinstance(looked_at(sealed, document, []), Finding)
