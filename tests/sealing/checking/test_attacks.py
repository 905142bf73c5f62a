"""Attacks on a sealed document, or on a document to be stamped. None of them is genuine."""

import random
import re
from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, Verdict, verify
from meterai.sealing.signing import cms
from meterai.sealing.signing.cms_layout import CmsLayout
from tests.support.attacks import ATTACKS
from tests.support.attacks.evidence import appended, evidence_of
from tests.support.attacks.forgeries import many_ranges_around_one
from tests.support.attacks.lab import BESIDE
from tests.support.attacks.octets import ranges_of
from tests.support.attacks.restamped import with_false_ranges, without_its_seal

BAD = {Verdict.ALTERED, Verdict.FORGED, Verdict.UNREADABLE}


def failed(report):
    return {check.name for check in report.checks if not check.passed}


@pytest.mark.parametrize("name", [name for name in ATTACKS if ATTACKS[name].refusal is None])
def test_attack_gets_its_verdict(lab, name):
    attack = ATTACKS[name]
    report = lab.verify(attack.make(lab))
    assert report.verdict.value == attack.verdict
    assert report.verdict is not Verdict.GENUINE
    assert attack.failed <= failed(report)
    assert (report.sha256_original is not None) == report.verdict.is_good
    if report.verdict.is_good:
        assert report.sealed_bytes is not None


@pytest.mark.parametrize("name", [name for name in ATTACKS if ATTACKS[name].refusal])
def test_attack_prepared_before_stamping_is_refused(lab, name):
    with pytest.raises(Refusal) as refused:
        lab.taken_in(ATTACKS[name].make(lab))
    assert refused.value.code == ATTACKS[name].refusal


@pytest.mark.parametrize(
    "name", [name for name in ATTACKS if ATTACKS[name].verdict == "genuine_then_extended"]
)
def test_sealed_revision_of_an_extended_file_is_genuine(lab, name):
    document = ATTACKS[name].make(lab)
    extended = lab.verify(document)
    alone = lab.verify(document[: extended.sealed_bytes])
    assert alone.verdict is Verdict.GENUINE
    for field in ("serials", "sealed_bytes", "sha256_sealed", "sha256_original", "originals"):
        assert getattr(alone, field) == getattr(extended, field)


# Bytes


def test_any_changed_byte_is_not_genuine(lab):
    sealed = lab.sealed
    gap_start, gap_end, _ = ranges_of(sealed)
    chance = random.Random(11)
    # Every byte of the seal's dictionary and of the tail, every third of the rest.
    places = {
        *range(0, len(sealed), 3),
        *range(gap_start - 90, gap_start),
        *range(gap_end, len(sealed)),
    }
    for place in sorted(places):
        changed = bytearray(sealed)
        changed[place] ^= 1 << chance.randrange(8)
        assert lab.verify(bytes(changed)).verdict in BAD, place


def test_removed_certificate_is_not_genuine(lab):
    start, end, _ = ranges_of(lab.sealed)
    padded = bytes.fromhex(lab.sealed[start + 1 : end - 1].decode())
    read = cms.read(padded[: cms.der_length(padded)])
    # The signature does not cover the certificates, and a verifier has the root anyway.
    chain = lab.issuer.chain[:-1]
    smaller = CmsLayout(chain).content_info(read.signed_bytes, read.signature).hex().encode()
    changed = lab.sealed[: start + 1] + smaller.ljust(end - start - 2, b"0")
    changed += lab.sealed[end - 1 :]
    assert len(changed) == len(lab.sealed)
    assert not lab.verify(changed).verdict.is_good


def test_inserted_or_removed_byte_is_not_genuine(lab):
    sealed, chance = lab.sealed, random.Random(12)
    for _ in range(300):
        place, more = chance.randrange(len(sealed)), bytes([chance.randrange(256)])
        longer = sealed[:place] + more + sealed[place:]
        shorter = sealed[:place] + sealed[place + 1 :]
        assert lab.verify(longer).verdict in BAD, place
        assert lab.verify(shorter).verdict in BAD, place


def test_moved_block_is_not_genuine(lab):
    sealed, chance = lab.sealed, random.Random(13)
    for _ in range(200):
        one, two, three = sorted(chance.sample(range(len(sealed)), 3))
        moved = sealed[:one] + sealed[two:three] + sealed[one:two] + sealed[three:]
        if moved != sealed:
            assert lab.verify(moved).verdict in {*BAD, Verdict.NOT_SEALED}


# Condition 1: a seal is found by its bytes


def test_seal_outside_the_form_is_found(lab):
    report = lab.verify(without_its_seal(lab.sealed))
    assert report.verdict is Verdict.GENUINE_THEN_EXTENDED
    assert report.serials == lab.verify(lab.sealed).serials
    assert report.sealed_bytes == len(lab.sealed)


def test_seal_among_false_ranges_beyond_limit_is_not_genuine(lab):
    report = lab.verify(lab.seal(with_false_ranges(70)))
    assert report.verdict is Verdict.UNREADABLE
    assert failed(report) == {"readable"}


# Condition 2: one verdict for each seal


def test_seal_before_change_does_not_count_after_second_stamping(lab):
    """The page is rewritten, stamp and field are removed from the form, and the file is stamped again."""
    before = lab.verify(lab.sealed)
    rewritten = without_its_seal(lab.sealed)
    assert lab.taken_in(rewritten) is Verdict.GENUINE_THEN_EXTENDED
    again = lab.seal(rewritten, BESIDE)
    report = lab.verify(again)
    assert report.verdict is Verdict.GENUINE
    assert len(report.serials) == 1
    assert not set(report.serials) & set(before.serials)
    (earlier,) = report.earlier
    assert earlier.serials == before.serials
    assert earlier.sealed_bytes == len(lab.sealed)


def test_spoilt_earlier_seal_is_reported_beside_verdict_on_newest(lab):
    spoilt = lab.sealed.replace(b"Surat Pernyataan 1", b"Surat Pernyataan 9", 1)
    report = lab.verify(lab.seal(spoilt, Placement(2, 20, 20, 65)))
    assert report.is_spoilt
    assert (len(report.serials), report.earlier) == (1, ())


# Condition 3: evidence only as our own update


def test_changed_byte_of_own_evidence_makes_file_extended(lab):
    document = appended(lab, evidence_of(lab))
    chance = random.Random(17)
    for place in range(len(lab.sealed), len(document)):
        changed = bytearray(document)
        changed[place] ^= 1 << chance.randrange(8)
        report = lab.verify(bytes(changed))
        assert report.verdict is Verdict.GENUINE_THEN_EXTENDED, place
        assert report.sealed_bytes == len(lab.sealed)


def test_signature_of_evidence_has_no_unused_bits(lab):
    """If a signature ends with a zero bit, that bit could be declared unused and the signature would hold."""
    document = appended(lab, evidence_of(lab))
    places = [
        found.end() - 2
        for found in re.finditer(rb"\x03[\x45-\x4a]\x00\x30", document)
        if found.start() > len(lab.sealed)
    ]
    assert len(places) >= 2
    for place in places:
        changed = bytearray(document)
        assert changed[place] == 0
        changed[place] = 1
        assert lab.verify(bytes(changed)).verdict is Verdict.GENUINE_THEN_EXTENDED, place


# Later signatures


def test_later_signatures_are_named_and_not_judged(lab):
    signed = lab.signed(lab.signed(lab.sealed, "Satu"), "Dua")
    report = lab.verify(signed)
    assert [one.signer for one in report.later] == ["Notaris Budi", "Notaris Budi"]
    spoilt = signed[:-400] + signed[-400:].replace(b"/Prev", b"/Prex")
    assert lab.verify(spoilt).verdict is Verdict.GENUINE_THEN_EXTENDED


# Forgers


def test_root_in_document_proves_nothing(lab):
    forged = ATTACKS["self-made-certificate-with-our-names"].make(lab)
    root, ours = lab.forger.root, lab.issuer.root
    at = lab.verify(lab.sealed).sealed_at
    assert verify(forged, [root], at=at).verdict is Verdict.GENUINE
    assert verify(forged, [], at=at).verdict is Verdict.FORGED
    assert verify(forged, [ours, root], at=at).verdict is Verdict.GENUINE


def test_seal_from_future_is_not_genuine_and_seal_made_in_validity_stays_genuine(bench, lab):
    early = verify(lab.sealed, [bench.issuer.root], at=bench.at - timedelta(hours=1))
    assert early.verdict is Verdict.FORGED
    # Long after expiry a seal made within validity is still genuine.
    late = verify(lab.sealed, [bench.issuer.root], at=bench.at + timedelta(days=3000))
    assert late.verdict is Verdict.GENUINE


def test_seal_contains_all_certificates(lab):
    start, end, _ = ranges_of(lab.sealed)
    container = bytes.fromhex(lab.sealed[start + 1 : end - 1].decode())
    for certificate in lab.issuer.chain:
        encoded = certificate.public_bytes(Encoding.DER)
        assert asn1_x509.Certificate.load(encoded).dump() in container


# Attacks of third parties


def test_many_byte_ranges_around_one_signed_data_are_no_seal(lab):
    assert lab.verify(many_ranges_around_one(lab)).verdict is Verdict.NOT_SEALED
