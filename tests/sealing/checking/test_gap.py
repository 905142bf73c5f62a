"""Bytes that no signature covers: some other rule checks every byte of a seal's own /Contents."""

import hashlib
from itertools import cycle

import pytest

from meterai.sealing import Verdict, verify
from tests.support.attacks import gap
from tests.support.attacks.lab import AT
from tests.support.attacks.octets import ranges_of

# All bits of a digit, and the change of its case.
CHANGES = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x51, 0x57)


def good_after(lab, document: bytes, places: range, changes) -> list[tuple[int, int]]:
    """Positions and changes of single bytes after which the document is still good."""
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


def test_changed_sample_byte_of_contents_is_not_good(lab):
    """The quick test of the three: some bytes, each bit of them."""
    assert good_after(lab, lab.sealed, contents_of(lab.sealed, 17), cycle(CHANGES)) == []


@pytest.mark.parametrize("first", range(3))
def test_any_changed_byte_of_contents_is_not_good(lab, first):
    changes = cycle([*CHANGES[3 * first :], *CHANGES[: 3 * first]])
    assert good_after(lab, lab.sealed, contents_of(lab.sealed), changes) == []


def test_seal_names_roots_of_its_time_stamp(lab):
    """A verifier with our root alone can check the time; a verifier that trusts other authorities refuses."""
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


def test_seal_without_roots_of_its_time_stamp_is_not_good(lab):
    """Its record is signed, so this is another kind of seal and no attack. The verifier does not guess."""
    unsaid = lab.sealed.replace(b"/TimeStampRoots", b"/TimeStampRootz")
    start, end, _ = ranges_of(unsaid)
    digest = hashlib.sha256(unsaid[:start] + unsaid[end:]).digest()
    sealed = gap.with_signed_data(unsaid, lab.issuer.sign(digest))
    report = lab.verify(sealed)
    assert report.verdict is Verdict.ALTERED
    assert [one.name for one in report.checks if not one.passed] == ["time_stamp"]


def test_another_token_of_same_authority_is_accepted(lab):
    """The only replacement that needs no key: the same statement, made again by the authority."""
    document = gap.time_stamped(lab)
    encoded = gap.signed_data_of(document)
    again = gap.with_signed_data(document, gap.with_another_token(encoded))
    assert again != document
    assert lab.verify(again).verdict is Verdict.GENUINE
