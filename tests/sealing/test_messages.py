"""Every refusal, check and verdict has a sentence in both languages, from its own facts."""

import string
import tomllib
from pathlib import Path

import pytest

import meterai.sealing as room
from meterai.kit.refusal import Refusal
from meterai.plumbing.messages import translate
from meterai.sealing import Check, CheckReport, PageSize, Placement, Verdict
from meterai.sealing.checking.checks import VERSIONS

MESSAGES = tomllib.loads((Path(room.__file__).parent / "messages.toml").read_text("utf-8"))
QUESTIONS = {name: asked for rules in VERSIONS.values() for name, asked in rules.items()}
LATER_VERDICTS = {"unknown_serial", "serial_mismatch"}  # of the room with the register

REFUSALS = [
    room.NotAPdf("x"),
    room.DocumentTooLarge(size_bytes=2, limit_bytes=1),
    room.DocumentEncrypted("x"),
    room.DocumentBroken("x"),
    room.EncryptedWithoutIdentifier("x"),
    room.HashOfOtherBytes("x"),
    room.SealDoesNotHold(CheckReport(Verdict.FORGED, checks=(Check("seal", passed=False),))),
    room.TooManySeals("x"),
    room.NotJudged("x"),
    room.ExistingSealInvalid("x"),
    room.ExaminationBusy("x"),
    room.ChangesForbidden("x"),
    room.SignatureRangeMalformed("x"),
    room.Portfolio("x"),
    room.LeavesWhenOpened("x"),
    room.DynamicForm("x"),
    room.StrayStamp("x"),
    room.NoPages("x"),
    room.PageNotDrawn("x"),
    room.PageTooSlow("x"),
    room.PageOutOfRange(page=2, pages=1),
    room.TextNotFound(number=1, found=0),
    room.TextNotSearched("x"),
    room.PlacementOutsidePage(Placement(1, 2, 3), PageSize(1, 4, 5)),
    room.PlacementMalformed("x"),
    room.StampTooSmall(40.0),
    room.PlacementOnStamp(number=1, page=1),
    room.PlacementsOverlap(first=1, second=2, page=1),
    room.SealingUnavailable("x"),
    room.IssuerUnusable("x"),
    room.TimeStampUnavailable("x"),
    room.RevocationUnavailable("x"),
    room.ArtworkUnusable("x"),
    room.PhotoUnreadable("x"),
    room.ClaimMalformed("x"),
    room.ClaimKeyUnknown("ABCD"),
    room.ClaimForged("x"),
    room.ClaimKeyUnusable("x"),
]


def places(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_list_of_refusals_is_complete():
    exported = {
        kind for kind in vars(room).values() if isinstance(kind, type) and issubclass(kind, Refusal)
    }
    assert {type(item) for item in REFUSALS} == exported
    assert len({item.code for item in REFUSALS}) == len(REFUSALS)


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_refusal_has_sentence(language):
    for item in REFUSALS:
        said = translate(f"refusal.{item.code}", language, **item.facts())
        assert said != f"refusal.{item.code}"
        assert "{" not in said  # a fact that the refusal lacks


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_check_has_sentence(language, bench, plain):
    seen = {}
    documents = (bench.sealed(plain), bench.sealed(plain)[:-1] + b"x", b"junk")
    for check in (check for document in documents for check in bench.verify(document).checks):
        seen[check.name, check.passed] = check.facts
    for name, (_, facts) in QUESTIONS.items():
        seen.setdefault((name, False), facts)
        assert places(MESSAGES[f"check.{name}.failed"][language]) <= set(facts)
    for (name, passed), facts in seen.items():
        word = "passed" if passed else "failed"
        assert MESSAGES[f"check.{name}.{word}"][language].format(**facts)


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_verdict_has_sentence(language):
    for word in {*map(str, Verdict)} | LATER_VERDICTS:
        assert MESSAGES[f"verdict.{word}"][language]
        assert MESSAGES[f"verdict.{word}.explained"][language]


def test_every_sentence_is_used():
    names = ["readable", *QUESTIONS]
    expected = {f"refusal.{item.code}" for item in REFUSALS}
    expected |= {f"check.{name}.{word}" for name in names for word in ("passed", "failed")}
    expected.add("check.version.failed")  # a version with rules has no sentence
    expected |= {"check.no_stamp.passed", "check.no_stamp.failed"}  # of statements alone
    words = {*map(str, Verdict)} | LATER_VERDICTS
    expected |= {f"verdict.{word}{more}" for word in words for more in ("", ".explained")}
    assert set(MESSAGES) == expected


def test_report_is_a_value():
    check = Check("readable", passed=True)
    assert CheckReport(Verdict.NOT_SEALED, checks=(check,)) == CheckReport(
        Verdict.NOT_SEALED, checks=(check,)
    )
