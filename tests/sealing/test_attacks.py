"""What an attacker may try with a sealed document.  Nothing but honest signatures stays genuine."""

import io
from datetime import timedelta

import pikepdf
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.keys.internal import translate_pyca_cryptography_cert_to_asn1
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from meterai.sealing import Placement, Verdict, development_issuer, seal, verify

CHANGED = {Verdict.CHANGED_AFTER_SEALING, Verdict.FORGED, Verdict.UNREADABLE}


@pytest.fixture(scope="module")
def sealed(bench, plain):
    return bench.sealed(plain, Placement(1, 100, 100, 80), Placement(2, 100, 100, 80))


@pytest.fixture(scope="module")
def signer(tmp_path_factory, bench):
    """Somebody else with an honest key and a certificate of another authority."""
    directory = tmp_path_factory.mktemp("stranger") / "keys"
    development_issuer(directory, at=bench.at)
    authorities = [directory / "intermediate.pem", directory / "root.pem"]
    return signers.SimpleSigner.load(directory / "seal.key", directory / "seal.pem", authorities)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory, bench):
    """A signer whose names are not ours."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Notaris Budi")])
    builder = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),
        77,
        bench.issuer.chain[0].not_valid_before_utc,
        bench.issuer.chain[0].not_valid_after_utc,
    )
    usage = bench.issuer.chain[0].extensions.get_extension_for_class(x509.KeyUsage).value
    builder = builder.add_extension(usage, critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    directory = tmp_path_factory.mktemp("notary")
    (directory / "key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (directory / "pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return signers.SimpleSigner.load(directory / "key", directory / "pem")


def updated(document, change):
    """The document with one more update, made by an attacker who knows the format."""
    writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def signed_by(signer, document, name="Notaris", **field):
    meta = signers.PdfSignatureMetadata(field_name=name, reason="Saya setuju")
    spec = fields.SigFieldSpec(name, **field)
    out = signers.PdfSigner(meta, signer, new_field_spec=spec).sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    )
    return out.getvalue()


# What is allowed


def test_an_honest_signature_afterwards_stays_genuine(bench, sealed, stranger):
    invisible = signed_by(stranger, sealed)
    visible = signed_by(stranger, invisible, "Kedua", on_page=0, box=(300, 300, 450, 360))
    for document in (invisible, visible):
        report = bench.verify(document)
        assert report.verdict is Verdict.GENUINE
        assert report.serials == bench.verify(sealed).serials
        assert report.sha256_stamped == bench.verify(sealed).sha256_stamped


def test_a_time_stamp_and_proofs_afterwards_stay_genuine(bench, sealed, tmp_path):
    directory = tmp_path / "authority"
    development_issuer(directory, algorithm="rsa2048", at=bench.at)
    authority = signers.SimpleSigner.load(directory / "seal.key", directory / "seal.pem")
    stamper = DummyTimeStamper(
        authority.signing_cert, authority.signing_key, certs_to_embed=SimpleCertificateStore()
    )
    out = signers.PdfTimeStamper(stamper).timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(sealed)), "sha256"
    )
    assert bench.verify(out.getvalue()).verdict is Verdict.GENUINE

    store = io.BytesIO(sealed)
    certificates = [translate_pyca_cryptography_cert_to_asn1(item) for item in bench.issuer.chain]
    DocumentSecurityStore.add_dss(store, sig_contents=None, certs=certificates)
    assert len(store.getvalue()) > len(sealed)
    assert bench.verify(store.getvalue()).verdict is Verdict.GENUINE


# Bytes


def test_no_byte_can_be_changed(bench, sealed):
    gap = sealed.index(b"/Contents <")
    # Steps that are prime visit every kind of place; the container and the tail are looked at closer.
    places = [*range(0, len(sealed), 101), *range(gap, gap + 6000, 37)]
    places = [one for one in places if one < len(sealed)] + list(range(len(sealed) - 40, len(sealed)))
    for place in places:
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert bench.verify(bytes(changed)).verdict in CHANGED, place


@pytest.mark.parametrize(
    "more",
    [
        b"\n",
        b"x",
        b"%%EOF\n",
        b"\n99 0 obj\n<</Type/Page>>\nendobj\n%%EOF\n",
        b"\n1 0 obj\n<</Type/Catalog>>\nendobj\nstartxref\n9\n%%EOF\n",
    ],
)
def test_appended_bytes_are_a_change(bench, sealed, more):
    assert bench.verify(sealed + more).verdict is Verdict.CHANGED_AFTER_SEALING


def test_an_old_pointer_appended_again_is_a_change(bench, sealed, plain):
    for source in (sealed, plain):
        tail = source[source.rindex(b"startxref") :]
        assert bench.verify(sealed + tail).verdict is Verdict.CHANGED_AFTER_SEALING


def test_junk_between_later_updates_is_a_change(bench, sealed, stranger):
    shift = b"7 0 obj\n<<>>\nendobj\n"
    assert bench.verify(signed_by(stranger, sealed + shift)).verdict in CHANGED
    assert bench.verify(signed_by(stranger, sealed) + shift).verdict in CHANGED


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.8, 0.95, 0.999])
def test_a_truncated_document_is_not_genuine(bench, sealed, keep):
    assert bench.verify(sealed[: int(len(sealed) * keep)]).verdict in {
        *CHANGED,
        Verdict.NOT_SEALED,
    }


def test_the_delta_alone_removed_is_a_document_without_stamp(bench, sealed, plain):
    assert bench.verify(plain).verdict is Verdict.NOT_SEALED


def test_the_gap_cannot_move_or_hide_anything(bench, sealed):
    start = sealed.index(b"/Contents <") + len(b"/Contents ")
    end = sealed.index(b">", start) + 1
    container = sealed[start:end]
    moved = sealed[: start - 40] + container + sealed[start - 40 : start] + sealed[end:]
    assert bench.verify(moved).verdict in CHANGED
    padded = container.rstrip(b"0>")
    hidden = padded + b"41" * ((len(container) - len(padded) - 1) // 2)
    hidden += b"0" * (len(container) - len(hidden) - 1) + b">"
    assert len(hidden) == len(container)
    assert bench.verify(sealed[:start] + hidden + sealed[end:]).verdict in CHANGED
    blank = b"<" + b"0" * (len(container) - 2) + b">"
    assert bench.verify(sealed[:start] + blank + sealed[end:]).verdict is Verdict.FORGED


# Later updates


def change_picture(writer):
    stamp = writer.root["/Pages"]["/Kids"][0].get_object()["/Annots"][0].get_object()
    picture = stamp["/AP"].raw_get("/N")
    picture.get_object()._data = b"0 0 9 9 re f"
    picture.get_object()._encoded_data = None
    writer.mark_update(picture)


def add_annotation(writer):
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    note = {"/Type": pdf_name("/Annot"), "/Subtype": pdf_name("/Square")}
    entries = {pdf_name(key): value for key, value in note.items()}
    entries[pdf_name("/Rect")] = generic.ArrayObject(map(generic.NumberObject, [0, 0, 500, 500]))
    writer.register_annotation(page, writer.add_object(generic.DictionaryObject(entries)))


def change_content(writer):
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    page.get_object()["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 g"))
    writer.mark_update(page)


def rotate_page(writer):
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    page.get_object()["/Rotate"] = generic.NumberObject(180)
    writer.mark_update(page)


def drop_form(writer):
    del writer.root["/AcroForm"]
    writer.update_root()


def empty_form(writer):
    writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
    writer.update_container(writer.root["/AcroForm"])


def rename_title(writer):
    info = generic.DictionaryObject({pdf_name("/Title"): pdf_string("Lain")})
    writer.set_info(writer.add_object(info))


def change_reason(writer):
    field = writer.root["/AcroForm"]["/Fields"][0]
    signature = field.get_object().raw_get("/V")
    signature.get_object()["/Reason"] = pdf_string("[0000000000000000000000]")
    writer.mark_update(signature)


def swap_pages(writer):
    kids = writer.root["/Pages"]["/Kids"]
    kids.reverse()
    writer.update_container(kids)


@pytest.mark.parametrize(
    "change",
    [
        change_picture, add_annotation, change_content, rotate_page, drop_form, empty_form,
        rename_title, change_reason, swap_pages,
    ],
)  # fmt: skip
def test_a_later_update_is_a_change(bench, sealed, stranger, change):
    changed = updated(sealed, change)
    assert bench.verify(changed).verdict in CHANGED
    if change not in {rename_title, change_reason}:
        # An honest signature on top does not heal it.
        assert bench.verify(signed_by(stranger, changed)).verdict in CHANGED


def test_a_filled_form_is_a_change(bench, corpus):
    (original,) = (
        path.read_bytes() for path in corpus("odd") if path.name == "pypdf__libreoffice-form.pdf"
    )
    sealed = bench.sealed(original)
    assert bench.verify(sealed).verdict is Verdict.GENUINE

    def fill(writer):
        field = next(
            item
            for item in writer.root["/AcroForm"]["/Fields"]
            if item.get_object()["/FT"] == "/Tx"
        )
        field.get_object()["/V"] = pdf_string("Rp1.000.000.000")
        writer.mark_update(field)

    assert bench.verify(updated(sealed, fill)).verdict is Verdict.CHANGED_AFTER_SEALING


def test_a_later_signature_may_not_cover_a_stamp_or_a_page(bench, sealed, stranger):
    over_stamp = signed_by(stranger, sealed, on_page=0, box=(120, 120, 140, 140))
    assert bench.verify(over_stamp).verdict is Verdict.CHANGED_AFTER_SEALING
    over_page = signed_by(stranger, sealed, on_page=1, box=(0, 200, 595, 842))
    assert bench.verify(over_page).verdict is Verdict.CHANGED_AFTER_SEALING


# Forgers


def test_our_names_with_another_key_are_forged(bench, plain, tmp_path):
    forger = development_issuer(tmp_path / "forger", at=bench.at)
    stamps = bench.stamps(Placement(1, 30, 30))
    forged = (
        plain
        + seal(plain, stamps, forger, at=bench.at, check_url=bench.check_url, specimen=True).data
    )
    report = bench.verify(forged)
    assert report.verdict is Verdict.FORGED
    assert [check.name for check in report.checks if not check.passed] == ["issuer", "validity"]
    # A root in the document proves nothing; given as trusted, it does.
    assert verify(forged, [forger.root], at=bench.at).verdict is Verdict.GENUINE
    assert verify(forged, [], at=bench.at).verdict is Verdict.FORGED
    assert verify(forged, [bench.issuer.root, forger.root], at=bench.at).verdict is Verdict.GENUINE


def test_a_strangers_signature_with_our_reason_or_field_is_forged(bench, plain, stranger):
    serial = bench.serial()
    meta = signers.PdfSignatureMetadata(field_name="X", reason=f"[{serial}] Meterai")
    out = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(plain)), meta, stranger)
    assert bench.verify(out.getvalue()).verdict is Verdict.FORGED
    assert bench.verify(signed_by(stranger, plain, f"Meterai_{serial}")).verdict is Verdict.FORGED


def test_an_honest_strangers_signature_is_foreign(bench, plain, stranger, signer):
    assert bench.verify(signed_by(stranger, plain)).verdict is Verdict.FOREIGN_SEAL
    # The names of our root under another key are a forgery even without a serial.
    assert bench.verify(signed_by(signer, plain)).verdict is Verdict.FORGED


def test_a_seal_does_not_fit_another_document(bench, make_pdf):
    one, other = make_pdf(Tag=1), make_pdf(Tag=2)
    assert len(one) == len(other)
    delta = bench.delta(one)
    assert bench.verify(one + delta.data).verdict is Verdict.GENUINE
    assert bench.verify(other + delta.data).verdict is Verdict.CHANGED_AFTER_SEALING


def test_a_seal_from_the_future_or_after_expiry_is_not_genuine(bench, sealed):
    early = verify(sealed, [bench.issuer.root], at=bench.at - timedelta(hours=1))
    assert early.verdict is Verdict.FORGED
    # Long after expiry a seal made in time is still genuine.
    late = verify(sealed, [bench.issuer.root], at=bench.at + timedelta(days=3000))
    assert late.verdict is Verdict.GENUINE


def test_rewriting_the_file_loses_the_seal(bench, sealed):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sealed)) as opened:
        opened.save(out)
    assert bench.verify(out.getvalue()).verdict in CHANGED


def test_the_certificates_are_all_in_the_seal(bench, sealed):
    start = sealed.index(b"/Contents <") + len(b"/Contents <")
    container = bytes.fromhex(sealed[start : sealed.index(b">", start)].decode())
    for certificate in bench.issuer.chain:
        assert (
            asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)).dump() in container
        )
