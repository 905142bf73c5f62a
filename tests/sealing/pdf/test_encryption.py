"""Encrypted documents: sealed unchanged, with our objects encrypted like the rest."""

import hashlib
import io
import re

import pikepdf
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from meterai.sealing import (
    DocumentEncrypted,
    EncryptedWithoutIdentifier,
    Placement,
    Verdict,
    accept,
    ingest,
    inspect,
)
from tests.support.pdfmaker import Stream, letter, text_of, whole

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


def test_owner_password_opens_document(lab):
    original = encrypted(6, "sandi")
    assert lab.verify(lab.seal(original, password=b"pemilik"), b"sandi").verdict is Verdict.GENUINE


def test_unknown_encryption_handler_is_refused_by_name():
    objects = letter(1)
    objects[9] = b"<</Filter/Rahasia/V 1>>"
    document = whole(objects, trailer=b"/ID[<00><00>]/Encrypt 9 0 R")
    with pytest.raises(DocumentEncrypted):
        inspect(document, PLACES[:1])


def test_password_for_unencrypted_document_is_ignored(lab):
    sealed = lab.seal(lab.original, password=b"apa saja")
    assert lab.verify(sealed).verdict is Verdict.GENUINE


_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def _rc4(key, data):
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for octet in data:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        out.append(octet ^ state[(state[i] + state[j]) & 255])
    return bytes(out)


def _md5(data):
    return hashlib.md5(data, usedforsecurity=False).digest()


def encrypted_over(identifier, written):
    """A letter encrypted with a key from `identifier` (revision 2, no password). `written` is the /ID in the file."""
    owner = _rc4(_md5(_PADDING)[:5], _PADDING)
    key = _md5(_PADDING + owner + (-4).to_bytes(4, "little", signed=True) + identifier)[:5]
    objects = letter(1)
    content = objects[5]
    assert isinstance(content, Stream)
    objects[5] = Stream(content.entries, _rc4(_md5(key + b"\5\0\0\0\0")[:10], content.data))
    objects[9] = b"<</Filter/Standard/V 1/R 2/P -4/O<%b>/U<%b>>>" % (
        owner.hex().encode(),
        _rc4(key, _PADDING).hex().encode(),
    )
    return whole(objects, trailer=b"/Encrypt 9 0 R" + written)


IDENTIFIER = bytes(range(16))
WRITTEN = b"/ID[<%b><00>]" % IDENTIFIER.hex().encode()


@pytest.mark.parametrize("written", [b"", b"/ID[]", b"/ID null", b"/ID[<><3141>]", b"/ID[()()]"])
def test_encrypted_document_without_identifier_is_refused(lab, written):
    """The update would have to add an identifier, from which every reader derives another key."""
    document = encrypted_over(b"", written)
    for work in (lambda: inspect(document, PLACES[:1]), lambda: lab.seal(document)):
        with pytest.raises(EncryptedWithoutIdentifier):
            work()


def test_encrypted_document_with_identifier_is_sealed_and_opens():
    assert inspect(encrypted_over(IDENTIFIER, WRITTEN), PLACES[:1]).pages == 1


def test_newer_key_needs_no_identifier(lab):
    """From revision 5 on the key is derived from the password alone."""
    document = encrypted(6, "")
    start = document.rindex(b"trailer")
    bare = document[:start] + re.sub(rb"/ID \[[^\]]*\]", b"", document[start:])
    assert bare != document
    sealed = lab.seal(bare)
    assert lab.verify(sealed).verdict is Verdict.GENUINE
    with pikepdf.open(io.BytesIO(sealed)) as opened:
        assert b"Surat Pernyataan" in opened.pages[0].Contents.read_bytes()


def without_identifier(document):
    """The document without /ID. Its key was made with an empty identifier, as PDF readers assume then."""
    return re.sub(rb"/ID\s*\[\s*<[^>]*>\s*<[^>]*>\s*\]", b"", document)


@pytest.mark.parametrize(
    ("revision", "aes", "is_refused"), [(2, False, True), (3, False, True), (4, False, True),
                                        (4, True, True), (6, True, False)]
)  # fmt: skip
def test_document_without_identifier_is_refused_if_key_depends_on_it(
    lab, revision, aes, is_refused
):
    """RC4 of 40 and 128 bits, RC4 and AES-128 by crypt filters, AES-256; by every entry."""
    out = io.BytesIO()
    handler = pikepdf.Encryption(owner="pemilik", user="", R=revision, aes=aes, metadata=aes)
    with pikepdf.open(io.BytesIO(whole(letter(2)))) as opened:
        opened.save(out, encryption=handler, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    document = out.getvalue()
    start = document.rindex(b"trailer")
    bare = document[:start] + without_identifier(document[start:])
    assert b"/ID" not in bare[start:]
    if not is_refused:
        assert lab.verify(lab.seal(bare, *PLACES)).verdict is Verdict.GENUINE
        return
    for way in (inspect, ingest, accept, lambda document, places: lab.seal(document, *places)):
        with pytest.raises((EncryptedWithoutIdentifier, DocumentEncrypted)):
            way(bare, PLACES)


def test_broken_encrypted_document_without_identifier_is_not_repaired(lab):
    """Repair would remove the protection."""
    document = encrypted(4, "")
    start = document.rindex(b"trailer")
    broken = document[:start] + without_identifier(document[start:]) + b"</html>"
    with pytest.raises(DocumentEncrypted):
        ingest(broken, PLACES)


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


@pytest.mark.parametrize(
    "entries", [b"/StmF/StdCF/StrF/Identity", b"/StmF/Identity/StrF/StdCF", b"/StmF/StdCF"]
)
def test_document_with_other_encrypted_data_needs_password(lab, entries):
    with pytest.raises(DocumentEncrypted):
        inspect(attachments_alone(entries), PLACES)


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


def test_password_of_both_with_one_key_is_accepted(lab):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole(letter(2)))) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="", user="", R=6))
    assert lab.verify(lab.seal(out.getvalue(), *PLACES)).verdict is Verdict.GENUINE
