"""What no signature covers: every byte of a seal's own /Contents is held by some other rule."""

import hashlib
from itertools import cycle

import pytest

from meterai.sealing import Verdict, verify
from meterai.sealing.signing.timestamps import check, root_digests, taken_in
from tests.support.attacks import gap
from tests.support.attacks.lab import AT
from tests.support.attacks.octets import ranges_of

# All bits of a digit, and what makes a letter of it that is a digit too.
CHANGES = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x51, 0x57)


def good_after(lab, document: bytes, places: range, changes) -> list[tuple[int, int]]:
    """Where the document with one byte changed is still good."""
    found = []
    for place, change in zip(places, changes, strict=False):
        changed = bytearray(document)
        changed[place] ^= change
        if lab.verify(bytes(changed)).verdict.is_good:
            found.append((place, change))
    return found


def contents_of(document: bytes, step: int = 1) -> range:
    start, end, _ = ranges_of(document)
    return range(start, end, step)


def test_hardly_a_byte_of_the_contents_can_be_another(lab):
    """The quick one of the three: some bytes, each bit in its turn."""
    assert good_after(lab, lab.sealed, contents_of(lab.sealed, 17), cycle(CHANGES)) == []


@pytest.mark.parametrize("first", range(3))
def test_no_byte_of_the_contents_can_be_another(lab, first):
    changes = cycle([*CHANGES[3 * first :], *CHANGES[: 3 * first]])
    assert good_after(lab, lab.sealed, contents_of(lab.sealed), changes) == []


def test_no_byte_of_the_contents_with_a_time_stamp_can_be_another(lab):
    document = gap.time_stamped(lab)
    assert lab.verify(document).verdict is Verdict.GENUINE
    assert good_after(lab, document, contents_of(document, 7), cycle(CHANGES)) == []


def test_the_seal_says_whose_time_stamp_belongs_to_it(lab):
    """Whoever knows our root alone can check the time; whoever trusts other authorities refuses."""
    document = gap.time_stamped(lab)
    (root,) = gap.time_stamper().time_stamp_roots
    for trusted, verdict in (
        ([], Verdict.GENUINE),
        ([root], Verdict.GENUINE),
        ([lab.issuer.root], Verdict.ALTERED),
    ):
        report = verify(document, [lab.issuer.root], at=AT, time_stamp_roots=trusted)
        assert report.verdict is verdict
        (check_made,) = [one for one in report.checks if one.name == "time_stamp"]
        assert check_made.facts == {
            "at": AT,
            "authority": "Otoritas Waktu",
            "is_trusted": trusted == [root],
        }
    assert "time_stamp" not in {one.name for one in lab.verify(lab.sealed).checks}


def test_a_seal_that_does_not_say_is_not_good(lab):
    """Its record is signed, so this is no attack but a seal of another making: nothing is guessed."""
    unsaid = lab.sealed.replace(b"/TimeStampRoots", b"/TimeStampRootz")
    start, end, _ = ranges_of(unsaid)
    digest = hashlib.sha256(unsaid[:start] + unsaid[end:]).digest()
    sealed = gap.with_signed_data(unsaid, lab.issuer.sign(digest))
    report = lab.verify(sealed)
    assert report.verdict is Verdict.ALTERED
    assert [one.name for one in report.checks if not one.passed] == ["time_stamp"]


def test_the_same_authority_may_be_asked_again(lab):
    """The one thing that somebody without a key can put there: the same statement, made once more."""
    document = gap.time_stamped(lab)
    encoded = gap.signed_data_of(document)
    again = gap.with_signed_data(document, gap.with_another_token(encoded))
    assert again != document
    assert lab.verify(again).verdict is Verdict.GENUINE


def test_a_token_keeps_what_it_proves_when_it_is_laid_out(lab):
    stamper = gap.time_stamper()
    token = stamper.token(b"value")
    named = root_digests(stamper.time_stamp_roots)
    assert check(token, b"value", named).at == AT
    assert taken_in(token, stamper.time_stamp_roots) == token
