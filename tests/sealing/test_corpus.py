"""Real PDFs made by others: what can be sealed is genuine, what cannot is refused by name."""

from collections import Counter

import pytest

from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, Verdict, inspect

ODD_SEALED_MIN = 29  # of 40: 8 are encrypted, 2 too small, 1 counts its offsets from the header
BAD_SEALED_MIN = 9  # of 23
COMPARED_BYTES_MAX = 200_000  # two seals on a signed document cost a comparison of revisions


def try_to_seal(bench, path):
    """What came of one file: `sealed` and found genuine, or the code of the refusal."""
    original = path.read_bytes()
    placements = Placement(-1, 20, 20, 60), Placement(1, 100, 40, 60)
    try:
        stamped = bench.sealed(original, *placements)
    except Refusal as refusal:
        return refusal.code
    assert stamped.startswith(original)
    assert bench.verify(stamped).verdict is Verdict.GENUINE, path.name
    return "sealed"


def test_every_plain_document_is_sealed(bench, corpus, say):
    outcomes = Counter(try_to_seal(bench, path) for path in corpus("plain"))
    say(f"plain: {dict(outcomes)}")
    assert set(outcomes) == {"sealed"}


@pytest.mark.parametrize(("kind", "least"), [("odd", ODD_SEALED_MIN), ("bad", BAD_SEALED_MIN)])
def test_odd_and_bad_documents_are_sealed_or_refused(bench, corpus, say, kind, least):
    outcomes = Counter(try_to_seal(bench, path) for path in corpus(kind))
    say(f"{kind}: {dict(outcomes)}")
    assert outcomes["sealed"] >= least


def test_signed_documents_are_sealed_or_refused_and_never_genuine_before(bench, corpus, say):
    outcomes, verdicts = Counter(), Counter()
    for path in corpus("signed"):
        verdict = bench.verify(path.read_bytes()).verdict
        assert verdict in {Verdict.FOREIGN_SEAL, Verdict.NOT_SEALED, Verdict.UNREADABLE}, path.name
        verdicts[str(verdict)] += 1
        if path.stat().st_size < COMPARED_BYTES_MAX:
            outcomes[try_to_seal(bench, path)] += 1
    say(f"signed: {dict(outcomes)}; before: {dict(verdicts)}")
    assert outcomes["sealed"] >= 16


def test_nothing_unsealed_is_taken_for_a_stamp(bench, corpus):
    for kind in ("plain", "odd", "bad"):
        for path in corpus(kind):
            verdict = bench.verify(path.read_bytes()).verdict
            assert verdict in {Verdict.NOT_SEALED, Verdict.UNREADABLE}, path.name


def test_inspecting_says_what_sealing_says(bench, corpus):
    for path in corpus("odd"):
        try:
            inspect(path.read_bytes(), [Placement(-1, 20, 20, 60), Placement(1, 100, 40, 60)])
            said = "sealed"
        except Refusal as refusal:
            said = refusal.code
        assert try_to_seal(bench, path) == said, path.name
