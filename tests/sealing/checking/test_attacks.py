"""What an attacker may try with a sealed document.  Nothing but honest signatures stays genuine."""

import io
import random
import time
import zlib
from datetime import timedelta

import pikepdf
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing import Placement, Verdict, verify
from meterai.sealing.sandbox.bounded import CPU_SECONDS_MAX
from meterai.sealing.signing import cms
from meterai.sealing.signing.cms_layout import Layout
from tests.support.attacks import ATTACKS, HONEST
from tests.support.attacks.concealed import FORM, signed_with
from tests.support.attacks.forgeries import many_ranges_around_one
from tests.support.attacks.later import many_ranges, object_of, signed_by_hand
from tests.support.attacks.octets import ranges_of
from tests.support.attacks.updates import with_proofs
from tests.support.pdfmaker import Body, Stream, letter, text_of, update, whole
from tests.support.yardstick import slowness

CHANGED = {Verdict.CHANGED_AFTER_SEALING, Verdict.FORGED, Verdict.UNREADABLE}


def failed(report):
    return {check.name for check in report.checks if not check.passed}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_verdict(lab, name):
    attack = ATTACKS[name]
    report = lab.verify(attack.make(lab))
    assert report.verdict.value == attack.verdict
    assert not report.verdict.is_good
    assert attack.failed <= failed(report)
    assert report.sha256_original is None  # what is not genuine proves nothing


@pytest.mark.parametrize("name", HONEST)
def test_what_is_no_attack_gets_its_verdict(lab, name):
    report = lab.verify(HONEST[name].make(lab))
    assert report.verdict.value == HONEST[name].verdict
    if report.verdict is Verdict.GENUINE:
        assert not failed(report)
        assert report.serials


# Bytes


@pytest.mark.slow
def test_no_byte_can_be_changed(lab):
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
        assert lab.verify(bytes(changed)).verdict in CHANGED, place


def test_no_certificate_can_be_taken_out_of_the_container(lab):
    start = lab.sealed.index(b"/Contents <") + len(b"/Contents <")
    end = lab.sealed.index(b">", start)
    padded = bytes.fromhex(lab.sealed[start:end].decode())
    read = cms.read(padded[: cms.der_length(padded)])
    # The signature does not cover the certificates, and a verifier has the root anyway.
    chain = lab.issuer.chain[:-1]
    smaller = Layout(chain).content_info(read.signed_bytes, read.signature).hex().encode()
    changed = lab.sealed[:start] + smaller.ljust(end - start, b"0") + lab.sealed[end:]
    assert len(changed) == len(lab.sealed)
    assert not lab.verify(changed).verdict.is_good


def test_not_even_the_case_of_a_digit_can_be_changed(lab):
    start = lab.sealed.index(b"/Contents <")
    end = lab.sealed.index(b">", start)
    loud = lab.sealed[:start] + lab.sealed[start:end].upper().replace(b"/CONTENTS", b"/Contents")
    assert lab.verify(loud + lab.sealed[end:]).verdict is Verdict.CHANGED_AFTER_SEALING


def test_no_byte_can_be_put_in_or_taken_out(lab):
    sealed, chance = lab.sealed, random.Random(12)
    for _ in range(300):
        place, more = chance.randrange(len(sealed)), bytes([chance.randrange(256)])
        longer = sealed[:place] + more + sealed[place:]
        shorter = sealed[:place] + sealed[place + 1 :]
        assert lab.verify(longer).verdict in CHANGED, place
        assert lab.verify(shorter).verdict in CHANGED, place


def test_no_block_can_be_moved(lab):
    sealed, chance = lab.sealed, random.Random(13)
    for _ in range(200):
        one, two, three = sorted(chance.sample(range(len(sealed)), 3))
        moved = sealed[:one] + sealed[two:three] + sealed[one:two] + sealed[three:]
        if moved != sealed:
            assert lab.verify(moved).verdict in {*CHANGED, Verdict.NOT_SEALED}


@pytest.mark.parametrize("more", [b"\n", b" ", b"x", b"\0", b"%%EOF", b"%%EOF\n", b"\n%comment\n"])
def test_appended_bytes_are_a_change(lab, more):
    assert lab.verify(lab.sealed + more).verdict is Verdict.CHANGED_AFTER_SEALING


def test_junk_between_later_updates_is_a_change(lab):
    shift = b"7 0 obj\n<<>>\nendobj\n"
    later = lab.signed(lab.sealed)[len(lab.sealed) :]
    assert lab.verify(lab.sealed + shift + later).verdict in CHANGED
    assert lab.verify(lab.signed(lab.sealed) + shift).verdict in CHANGED


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.8, 0.95, 0.999])
def test_a_truncated_document_is_not_genuine(lab, keep):
    verdict = lab.verify(lab.sealed[: int(len(lab.sealed) * keep)]).verdict
    assert verdict in {*CHANGED, Verdict.NOT_SEALED}


def test_the_gap_cannot_hide_anything(lab):
    start, end, _ = ranges_of(lab.sealed)
    container = lab.sealed[start:end]
    moved = lab.sealed[: start - 40] + container + lab.sealed[start - 40 : start] + lab.sealed[end:]
    assert lab.verify(moved).verdict in CHANGED


# Later updates


@pytest.mark.parametrize(
    "name", ["page-rotated", "pages-swapped", "form-filled", "evil-stamp", "content-freed"]
)
def test_an_honest_signature_does_not_heal_a_change(lab, name):
    assert lab.verify(lab.signed(ATTACKS[name].make(lab))).verdict in CHANGED


def test_a_seal_of_ours_does_not_heal_a_change(lab):
    resealed = lab.seal(ATTACKS["page-replaced-by-an-update"].make(lab), Placement(2, 20, 20, 65))
    assert lab.verify(resealed).verdict in CHANGED


def test_a_list_of_evidence_may_grow_in_its_place(lab):
    objects: dict[int, Body] = {70: b"<</Type/DSS/Certs 72 0 R>>", 72: b"[71 0 R]"}
    once = with_proofs(lab, lab.sealed, objects)
    again = update(once, {72: b"[71 0 R 73 0 R]", 73: Stream(b"", b"more evidence")})
    assert [lab.verify(one).verdict for one in (once, again)] == [Verdict.GENUINE] * 2


def test_a_form_that_waits_for_signatures_alone_may_say_how_they_look(lab):
    made = letter(2)
    made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 30 0 R>>"
    made[30] = b"<</Fields[31 0 R]>>"
    made[31] = (
        b"<</Type/Annot/Subtype/Widget/FT/Sig%x\n/T(Saksi)/F 4/Rect[300 500 400 520]/P 6 0 R>>"
    )
    made[6] = text_of(made[6])[:-2] + b"/Annots[31 0 R]>>"
    sealed = lab.sealed_of(made)
    form = {30: object_of(sealed, 30)[:-2] + b"/DA(/F1 9 Tf 0 g)>>"}
    assert lab.verify(signed_by_hand(lab, sealed, form)).verdict is Verdict.GENUINE_THEN_SIGNED


@pytest.mark.parametrize("flags", [2, 6, 132])
@pytest.mark.parametrize("data", [b"", b" \n" * 500])
def test_a_hidden_signature_may_have_a_picture_of_nothing(lab, flags, data):
    entries = FORM + b"/BBox[0 0 0 0]/Filter/FlateDecode"
    made = signed_with(lab, flags, Stream(entries, zlib.compress(data)))
    assert lab.verify(made).verdict is Verdict.GENUINE_THEN_SIGNED


def test_an_honest_signature_leaves_serials_and_digests_as_they_were(lab):
    before, after = lab.verify(lab.sealed), lab.verify(lab.signed(lab.sealed))
    assert (before.serials, before.originals) == (after.serials, after.originals)
    assert before.sha256_stamped == after.sha256_stamped


# Forgers


def test_a_root_in_the_document_proves_nothing(lab):
    forged = ATTACKS["self-made-certificate-with-our-names"].make(lab)
    assert failed(lab.verify(forged)) == {"issuer", "validity", "claim"}
    root, ours = lab.forger.root, lab.issuer.root
    at = lab.verify(lab.sealed).sealed_at
    assert verify(forged, [root], at=at).verdict is Verdict.GENUINE
    assert verify(forged, [], at=at).verdict is Verdict.FORGED
    assert verify(forged, [ours, root], at=at).verdict is Verdict.GENUINE


def test_a_seal_from_the_future_is_not_genuine_and_one_made_in_time_stays_so(bench, lab):
    early = verify(lab.sealed, [bench.issuer.root], at=bench.at - timedelta(hours=1))
    assert early.verdict is Verdict.FORGED
    # Long after expiry a seal made in time is still genuine.
    late = verify(lab.sealed, [bench.issuer.root], at=bench.at + timedelta(days=3000))
    assert late.verdict is Verdict.GENUINE


def test_the_certificates_are_all_in_the_seal(lab):
    start, end, _ = ranges_of(lab.sealed)
    container = bytes.fromhex(lab.sealed[start + 1 : end - 1].decode())
    for certificate in lab.issuer.chain:
        encoded = certificate.public_bytes(Encoding.DER)
        assert asn1_x509.Certificate.load(encoded).dump() in container


def test_a_password_is_needed_to_check_what_needs_one_to_be_read(lab):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole(letter()))) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="pemilik", user="rahasia"))
    sealed = lab.seal(out.getvalue(), password=b"rahasia")
    assert lab.verify(sealed, b"rahasia").verdict is Verdict.GENUINE
    assert not lab.verify(sealed).verdict.is_good
    changed = sealed.replace(b"/Rect[20 20", b"/Rect[21 20")
    assert lab.verify(changed, b"rahasia").verdict is Verdict.CHANGED_AFTER_SEALING


# Those of others


def test_no_attack_of_the_corpus_is_taken_for_a_seal(bench, corpus):
    """Real attacks on strangers' signatures: whatever they are, they are not ours."""
    for path in corpus("signed"):
        verdict = bench.verify(path.read_bytes()).verdict
        assert verdict in {Verdict.FOREIGN_SEAL, Verdict.NOT_SEALED, Verdict.UNREADABLE}, path.name


# Time


@pytest.mark.slow
def test_what_many_byte_ranges_are_around_is_looked_at_once(lab):
    """A SignedData of thousands of attributes, laid out otherwise than ours."""
    document = many_ranges_around_one(lab)
    begin = time.process_time()
    assert lab.verify(document).verdict is Verdict.NOT_SEALED
    assert time.process_time() - begin < CPU_SECONDS_MAX / 4 * slowness()


@pytest.mark.slow
def test_a_file_without_a_seal_costs_no_search_through_all_of_it(lab):
    document = many_ranges()
    begin = time.process_time()
    assert not lab.verify(document).verdict.is_good
    assert time.process_time() - begin < CPU_SECONDS_MAX * slowness()
