"""Encrypted documents: sealed unchanged, with our objects encrypted like the rest."""

import hashlib
import io
import re

import pikepdf
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from meterai.sealing import (
    DocumentEncrypted,
    Placement,
    Verdict,
    inspect,
)
from tests.support.pdfmaker import letter, text_of, whole

PLACES = [Placement(1, 20, 20, 65), Placement(2, 20, 20, 65)]
REVISIONS = [2, 3, 4, 6]


def encrypted(revision, user, *, streams=pikepdf.ObjectStreamMode.disable):
    objects = letter(2)
    objects[1] = text_of(objects[1])[:-2] + b"/Lang(id)/Nested[<</Word(rahasia sekali)>>]>>"
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
def test_encrypted_document_is_sealed_and_stays_encrypted(lab, revision, user, streams):
    password = user.encode()
    original = encrypted(revision, user, streams=streams)
    sealed = lab.seal(original, *PLACES, password=password)
    report = lab.verify(sealed, password)
    assert report.verdict is Verdict.GENUINE, report.checks
    with pikepdf.open(io.BytesIO(sealed), password=user) as opened:
        assert revision == opened.encryption.R
        # Objects from an object stream stay readable, and so are ours.
        assert str(opened.Root.Nested[0].Word) == "rahasia sekali"
        field = opened.Root.AcroForm.Fields[0]
        assert str(field.T) == f"Meterai_{report.serials[0]}"
        face = field.AP.N.read_bytes()
        assert b" Do" in face or b" re" in face
        assert not opened.check_pdf_syntax()


@pytest.mark.parametrize("revision", REVISIONS)
def test_added_strings_are_unreadable_without_password(lab, revision):
    original = encrypted(revision, "sandi")
    added = lab.seal(original, *PLACES, password=b"sandi")[len(original) :]
    assert b"Meterai_" not in added
    assert b"elektronik" not in added


@pytest.mark.parametrize("password", [b"", b"salah", b"\xff" * 200])
@pytest.mark.parametrize("revision", REVISIONS)
def test_wrong_password_is_refused_by_name(revision, password):
    with pytest.raises(DocumentEncrypted):
        inspect(encrypted(revision, "sandi"), PLACES, password=password)


def test_unknown_encryption_handler_is_refused_by_name():
    objects = letter(1)
    objects[9] = b"<</Filter/Rahasia/V 1>>"
    document = whole(objects, trailer=b"/ID[<00><00>]/Encrypt 9 0 R")
    with pytest.raises(DocumentEncrypted):
        inspect(document, PLACES[:1])


def attachments_alone(entries=b"/StmF/Identity/StrF/Identity/EFF/StdCF", more=b""):
    handler = (
        b"<</Filter/Standard/V 5/R 6/Length 256/CF<</StdCF<</CFM/AESV3/AuthEvent/EFOpen/Length 32>>>>"
        b"%b/O(%b)/U(%b)/OE(%b)/UE(%b)/Perms(%b)/P -4>>"
        % (entries, b"o" * 48, b"u" * 48, b"p" * 32, b"v" * 32, b"q" * 16)
    )
    objects = letter(2)
    objects[9] = handler
    return whole(objects, trailer=b"/ID[<00><00>]/Encrypt 9 0 R" + more)


@pytest.mark.parametrize(
    "entries",
    [b"/StmF/Identity/StrF/Identity/EFF/StdCF", b"/StmF/Identity/EFF/StdCF", b"/EFF/StdCF"],
)
def test_document_with_encrypted_attachments_only_needs_no_password(lab, entries):
    document = attachments_alone(entries)
    sealed = lab.seal(document, *PLACES)
    assert lab.verify(sealed).verdict is Verdict.GENUINE
    assert b"/Reason(" in sealed[len(document) :]


def with_the_users_password_for_the_owner(key):
    """A document of revision 5 whose empty password is that of the user and of the owner, with this key for the
    owner."""
    document = encrypted(5, "")
    user = bytes.fromhex(re.findall(rb"/U <([0-9a-f]+)>", document)[0].decode())[:48]
    validation, of_key = bytes(8), bytes(range(8))
    owner = hashlib.sha256(validation + user).digest() + validation + of_key
    inner = algorithms.AES(hashlib.sha256(of_key + user).digest())
    engine = Cipher(inner, modes.CBC(bytes(16))).encryptor()
    enciphered = engine.update(key) + engine.finalize()
    document = re.sub(rb"/O <[0-9a-f]+>", b"/O <%b>" % owner.hex().encode(), document)
    return re.sub(rb"/OE <[0-9a-f]+>", b"/OE <%b>" % enciphered.hex().encode(), document)


@pytest.mark.filterwarnings("ignore:Encryption R=5 is deprecated:UserWarning")
def test_password_with_two_keys_is_refused():
    """Some readers try the password as the user's first, others as the owner's."""
    with pikepdf.open(io.BytesIO(encrypted(5, ""))) as opened:
        assert opened.encryption.R == 5
    with pytest.raises(DocumentEncrypted):
        inspect(with_the_users_password_for_the_owner(bytes(range(32))), PLACES)
