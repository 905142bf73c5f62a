"""A task has the same result as this process; work beyond a first look goes to a task."""

import pytest

from meterai.sealing import CheckQuestion, Placement, Verdict, verify, verifying
from meterai.sealing.checking.checks import ALWAYS_MADE, SOMETIMES_MADE
from meterai.sealing.checking.questions import parameters_of, read_report, written_report
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import CheckFound, Earlier, NotAnswered, Verified
from meterai.sealing.tasks import do
from meterai.sealing.writing.engine import accepting
from tests.sealing.conftest import AT
from tests.support.hostile import HOSTILE
from tests.support.releases import RELEASES, names, question_about

PLACES = [Placement(1, 20, 20, 65)]

# A document beyond each limit of a first look, and its final outcome.
BEYOND = {
    "decoded": ("rows-bomb", "unreadable"),
    "parsed": ("too-many-fields", "unreadable"),
    "looked into": ("many-fields-in-many-sections", "unreadable"),
    "signatures": ("too-many-signatures", "unreadable"),
}


@pytest.mark.parametrize(("folder", "name"), names())
def test_report_from_process_equals_local_one(folder, name):
    question = question_about(RELEASES / folder, name)
    here = verify(
        question.document,
        question.trusted_roots,
        at=question.at,
        claim_keys=question.claim_keys,
        time_stamp_roots=question.time_stamp_roots,
        password=question.password,
    )
    answer = do("verify", question.document, parameters_of(question))
    read = answers.read(answer, Verified)
    size = len(question.document)
    assert read_report(read, ALWAYS_MADE, SOMETIMES_MADE, size) == here


@pytest.mark.parametrize("limit", BEYOND)
def test_document_beyond_first_look_goes_to_process(bench, limit):
    name, verdict = BEYOND[limit]
    document = HOSTILE[name].make()
    assert next(verifying(CheckQuestion(document, [bench.issuer.root], AT))).name == "verify"
    assert next(accepting(document, PLACES)).name == "inspect"
    assert bench.verify(document).verdict == verdict


def test_contradictory_report_counts_as_none(bench, plain):
    sealed = bench.sealed(plain)
    good, size = written_report(bench.verify(sealed)), len(sealed)
    assert read_report(good, ALWAYS_MADE, SOMETIMES_MADE, size).verdict is Verdict.GENUINE
    no = CheckFound("seal", False, {})
    spoilt: list[dict[str, object]] = [
        {"checks": [*good.checks, no]},
        {"checks": [*good.checks, CheckFound("no such check", True, {})]},
        {"checks": [one for one in good.checks if one.name != "seal"]},
        {"serials": []},
        {"serials": ["not a serial"]},
        {"originals": []},
        {"sealed_bytes": None},
        {"sealed_bytes": size + 1},
        {"earlier": [Earlier(1, AT, ["not a serial"])]},
        {"sha256_sealed": None},
        {"sha256_original": None},
        {"verdict": "no such verdict"},
    ]
    for changes in spoilt:
        fields = {name: getattr(good, name) for name in good.__struct_fields__} | changes
        with pytest.raises(NotAnswered):
            read_report(Verified(**fields), ALWAYS_MADE, SOMETIMES_MADE, size)
