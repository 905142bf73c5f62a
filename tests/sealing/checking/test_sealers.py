"""Other certificates of our authority: their signatures are foreign, and their seals are forged."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pyhanko.sign import signers

from meterai.sealing import (
    Verdict,
    development_issuer,
    load_issuer,
    load_issuers,
    verify,
    verify_own,
)
from meterai.sealing.model import IssuerUnusable
from meterai.sealing.signing import cms
from meterai.sealing.signing.der import SEQUENCE, tlv
from meterai.sealing.signing.issuer import common_name
from meterai.sealing.signing.trust import Sealers, path_to_root
from tests.support.attacks import Lab
from tests.support.attacks.lab import AT

BITS = 0x03
_P256, _P192V3 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d030103")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sealers") / "ours"
    development_issuer(directory, at=AT)
    return directory


@pytest.fixture(scope="module")
def another(ours):
    """Writer of the files of an issuer with another certificate by our own authority."""

    def write(name, *extensions, key=None):
        directory = ours.parent / name
        shutil.copytree(ours, directory)
        old = load_issuer(ours).chain[0]
        key = key or ec.generate_private_key(ec.SECP256R1())
        usage = old.extensions.get_extension_for_class(x509.KeyUsage)
        draft = x509.CertificateBuilder(
            old.issuer,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key.public_key(),
            x509.random_serial_number(),
            old.not_valid_before_utc,
            old.not_valid_after_utc - timedelta(days=1),
        )
        for value, critical in ((usage.value, True), *extensions):
            draft = draft.add_extension(value, critical=critical)
        authority = load_pem_private_key((ours / "intermediate.key").read_bytes(), None)
        assert isinstance(authority, ec.EllipticCurvePrivateKey)
        made = draft.sign(authority, hashes.SHA256())
        (directory / "seal.pem").write_bytes(made.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / "seal.key").write_bytes(private)
        return directory

    return write


@pytest.fixture(scope="module")
def notary(another):
    return another("Notaris Budi")


@pytest.fixture(scope="module")
def lab(ours, tmp_path_factory):
    return Lab(load_issuer(ours), tmp_path_factory.mktemp("lab"))


@pytest.fixture
def judged(ours):
    def judge(document):
        report = verify_own(document, load_issuers(ours), at=AT)
        return report.verdict, {one.name for one in report.checks if not one.passed}

    return judge


def test_another_certificate_of_our_authority_is_no_sealer(lab, notary, judged):
    sealed = lab.seal(lab.original, issuer=load_issuer(notary))
    verdict, failed = judged(sealed)
    assert verdict == "forged"
    assert "issuer" in failed


def test_document_with_changed_page_resealed_by_such_certificate_is_forged(lab, notary, judged):
    """The original, serial and claim are the same, so the register would find no difference."""
    cut = len(lab.original)
    delta = lab.sealed[cut:].replace(b"/Contents 5 0 R", b"/Contents 7 0 R")
    changed = lab.sealed[:cut] + delta
    assert changed != lab.sealed
    start = changed.index(b"/Contents <") + len(b"/Contents <")
    end = changed.index(b">", start)
    covered = changed[: start - 1] + changed[end + 1 :]
    digest = hashes.Hash(hashes.SHA256())
    digest.update(covered)
    made = load_issuer(notary).sign(digest.finalize()).hex().encode()
    resealed = changed[:start] + made.ljust(end - start, b"0") + changed[end:]
    assert verify(resealed, [lab.issuer.root], at=AT).verdict == "genuine"
    assert judged(resealed)[0] == "forged"


def test_other_certificate_of_our_authority_may_sign_later(lab, ours, notary, judged):
    signer = signers.SimpleSigner.load(
        str(notary / "seal.key"), str(notary / "seal.pem"), [str(notary / "intermediate.pem")]
    )
    assert judged(lab.signed(lab.original, signer=signer)) == ("foreign_seal", set())
    assert judged(lab.signed(lab.sealed, signer=signer)) == ("genuine_then_extended", set())
    assert judged(lab.seal(lab.signed(lab.original, signer=signer))) == ("genuine", set())


def test_certificate_with_unknown_critical_extension_cannot_seal(another):
    """RFC 5280, section 4.2."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    load_issuer(another("Longgar", (unknown, False))).check_usable(AT)
    with pytest.raises(IssuerUnusable, match="usage"):
        load_issuer(another("Ketat", (unknown, True))).check_usable(AT)


def test_unusable_key_is_no_sealer(ours, notary):
    """A certificate of our own authority has a curve that the library does not know."""
    made, authority = load_issuer(notary).chain[0], load_issuer(ours).chain[1]
    odd = _signed_anew(ours, made.tbs_certificate_bytes.replace(_P256, _P192V3))
    signed_data = cms.read(load_issuer(notary).sign(bytes(32)))
    signed_data = replace(signed_data, leaf=odd)
    known = Sealers.of([load_issuer(ours).root], [load_issuer(ours).chain[0]])
    anybody = Sealers.of([load_issuer(ours).root], [])
    assert authority in (path_to_root(signed_data, anybody) or ())
    assert path_to_root(signed_data, known) is None
    assert path_to_root(signed_data, Sealers.of([load_issuer(ours).root], [odd])) is None


def _signed_anew(ours, content):
    authority = load_pem_private_key((ours / "intermediate.key").read_bytes(), None)
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    signature = authority.sign(content, ec.ECDSA(hashes.SHA256()))
    encoded = tlv(SEQUENCE, content, _ECDSA_SHA256, tlv(BITS, b"\0" + signature))
    return x509.load_der_x509_certificate(encoded)


def name_of(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def signed_by(lab, name, document=None):
    """The letter, signed with a self-signed certificate of this name."""
    key, ours = ec.generate_private_key(ec.SECP256R1()), lab.issuer.chain[0]
    usage = ours.extensions.get_extension_for_class(x509.KeyUsage).value
    begin, end = ours.not_valid_before_utc, ours.not_valid_after_utc
    draft = x509.CertificateBuilder(name, name, key.public_key(), 77, begin, end)
    certificate = draft.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (lab.directory / "namesake.key").write_bytes(private)
    (lab.directory / "namesake.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    files = (str(lab.directory / f"namesake.{one}") for one in ("key", "pem"))
    return lab.signed(document or lab.original, signer=signers.SimpleSigner.load(*files))


@pytest.mark.parametrize("index", [0, -1])
@pytest.mark.parametrize(
    "written",
    [
        str,
        str.upper,
        lambda name: name[:3] + "\u200b" + name[3:],
        lambda name: name.replace(" ", "\u2003"),
        lambda name: chr(ord(name[0]) - 0x20 + 0xFF00) + name[1:],
        lambda name: name.replace(" ", "\u3164"),
        lambda name: name[:3] + "\u034f" + name[3:],
        lambda name: name.replace("e", "\u00e9"),
        lambda name: name.replace("e", "\u0435").replace("a", "\u0430"),
        lambda name: name.replace("M", "\u039c").replace("o", "\u03bf"),
        lambda name: name.replace(" ", "\u2800"),
        lambda name: name.replace(" ", "\u00b7") + "\u2024",
        lambda name: name.replace("l", "I"),
        lambda name: name.replace("o", "0"),
        lambda name: name.replace("m", "rn"),
        lambda name: name.replace("a", "\u0251"),
        lambda name: name.replace("o", "\u0585"),
        lambda name: name.replace("M", "\u13b7").replace("S", "\ua4e2"),
    ],
)
def test_self_signed_certificate_with_our_name_is_forged(lab, index, written):
    ours = common_name((*lab.issuer.chain, lab.issuer.root)[index])
    assert lab.verify(signed_by(lab, name_of(written(ours)))).verdict is Verdict.FORGED


@pytest.mark.parametrize(
    "name", ["\u7532\u4e59", "\u0645\u064a\u062a", "Notaris \u0411\u0443\u0434\u0438"]
)
def test_name_in_another_script_is_not_forged(lab, name):
    assert lab.verify(signed_by(lab, name_of(name))).verdict is Verdict.FOREIGN_SEAL
