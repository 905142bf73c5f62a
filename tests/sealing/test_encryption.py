"""Encrypted documents: sealed as they are, with what we add enciphered like the rest."""

import io

import pikepdf
import pytest

from meterai.sealing import DocumentEncrypted, Placement, Verdict, inspect
from tests.support.pdfmaker import letter, whole

PLACES = [Placement(1, 20, 20, 60), Placement(2, 20, 20, 60)]
REVISIONS = [2, 3, 4, 6]


def encrypted(revision, user, *, streams=pikepdf.ObjectStreamMode.disable):
    objects = letter(2)
    objects[1] = objects[1][:-2] + b"/Lang(id)/Nested[<</Word(rahasia sekali)>>]>>"
    out = io.BytesIO()
    handler = pikepdf.Encryption(
        owner="pemilik", user=user, R=revision, aes=revision > 3, metadata=revision > 3
    )
    with pikepdf.open(io.BytesIO(whole(objects))) as opened:
        opened.save(out, encryption=handler, object_stream_mode=streams)
    return out.getvalue()


@pytest.mark.parametrize("streams", list(pikepdf.ObjectStreamMode.__members__.values())[:3])
@pytest.mark.parametrize("user", ["", "sandi"])
@pytest.mark.parametrize("revision", REVISIONS)
def test_an_encrypted_document_is_sealed_as_it_is(lab, revision, user, streams):
    password = user.encode()
    original = encrypted(revision, user, streams=streams)
    sealed = lab.seal(original, *PLACES, password=password)
    report = lab.verify(sealed, password)
    assert report.verdict is Verdict.GENUINE, report.checks
    with pikepdf.open(io.BytesIO(sealed), password=user) as opened:
        assert revision == opened.encryption.R
        # What moved out of an object stream is readable still, and so is what we wrote.
        assert str(opened.Root.Nested[0].Word) == "rahasia sekali"
        field = opened.Root.AcroForm.Fields[0]
        assert str(field.T) == f"Meterai_{report.serials[0]}"
        face = field.AP.N.read_bytes()
        assert b" Do" in face or b" re" in face
        assert not opened.check_pdf_syntax()


@pytest.mark.parametrize("revision", REVISIONS)
def test_nothing_we_add_is_readable_without_the_password(lab, revision):
    original = encrypted(revision, "sandi")
    added = lab.seal(original, *PLACES, password=b"sandi")[len(original) :]
    assert b"Meterai_" not in added
    assert b"elektronik" not in added


@pytest.mark.parametrize("password", [b"", b"salah", b"\xff" * 200])
@pytest.mark.parametrize("revision", REVISIONS)
def test_a_wrong_password_is_refused_by_name(revision, password):
    with pytest.raises(DocumentEncrypted):
        inspect(encrypted(revision, "sandi"), PLACES, password=password)


def test_the_owners_password_opens_too(lab):
    original = encrypted(6, "sandi")
    assert lab.verify(lab.seal(original, password=b"pemilik"), b"sandi").verdict is Verdict.GENUINE


def test_a_handler_only_its_maker_knows_is_refused_by_name():
    objects = letter(1)
    objects[9] = b"<</Filter/Rahasia/V 1>>"
    document = whole(objects, trailer=b"/ID[<00><00>]/Encrypt 9 0 R")
    with pytest.raises(DocumentEncrypted):
        inspect(document, PLACES[:1])


def test_a_password_for_a_document_that_needs_none_does_no_harm(lab):
    sealed = lab.seal(lab.original, password=b"apa saja")
    assert lab.verify(sealed).verdict is Verdict.GENUINE
