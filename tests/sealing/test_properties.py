"""Random documents of every structure that the standard allows: all are sealed and stay intact.

`pdfmaker`, an independent writer, writes the documents, and qpdf rewrites some of them (linearized, encrypted).
Our verifier, pyHanko and qpdf judge the sealed documents.
"""

import io
import random

import pikepdf
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from meterai.kit.refusal import Refusal
from meterai.sealing import LAST_PAGE, CheckReport, Placement, Verdict, ingest, inspect
from tests.support.pdfmaker import Stream, whole

PLACES = [Placement(1, 20, 20, 65), Placement(LAST_PAGE, 90, 90, 65)]


class Shape(random.Random):
    """One random document; the seed determines its structure."""

    def some(self, *choices):
        return self.choice(choices)

    def objects(self):
        """A catalog, a nested page tree with inherited boxes, perhaps a form and a structure."""
        self.made = {1: b"", 2: b"", 3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
        self.pages = []
        # A page without an inherited media box gets one at the top of the tree.
        box = self.some(
            b"[0 0 595 842]", b"[595 842 0 0]", b"[-100 -50.5 495 791.5]", b"[ 0 0 842 595 ]"
        )
        self._node(2, None, self.randrange(1, 8), 0, b"/MediaBox %b" % box)
        catalog = b"<</Type/Catalog/Pages 2 0 R"
        if self.random() < 0.4:
            catalog += self._form()
        if self.random() < 0.4:
            catalog += self._structure()
        self.made[1] = catalog + self.some(b"", b"/Lang(id)", b"/Version/1.7") + b">>"
        return self.made

    def _new(self, body=b""):
        number = max(self.made) + self.some(1, 1, 1, 3)
        self.made[number] = body
        return number

    def _node(self, number, parent, leaves, depth, more):
        up = b"/Parent %d 0 R" % parent if parent else b""
        if leaves == 1 and depth:
            self.pages.append(number)
            self.made[number] = b"<</Type/Page%b%b%b>>" % (up, more, self._page())
            return
        shares: list[int] = []
        while sum(shares) < leaves:
            most = leaves - sum(shares)
            shares.append(self.randint(1, most) if depth < 4 else 1)
        kids = []
        for share in shares:
            kid = self._new()
            kids.append(b"%d 0 R" % kid)
            turned = self.some(b"", b"", b"/Rotate 90", b"/Rotate 270", b"/Rotate -180")
            self._node(kid, number, share, depth + 1, turned)
        listed = b"[%b]" % self.some(b" ", b"\n", b"  ").join(kids)
        if self.random() < 0.2:
            listed = b"%d 0 R" % self._new(listed)
        self.made[number] = b"<</Type/Pages/Count %d/Kids %b%b%b>>" % (leaves, listed, up, more)

    def _page(self):
        text = Stream(b"", b"BT /F1 20 Tf 100 300 Td (Surat) Tj ET")
        entries = b"/Contents %d 0 R/Resources<</Font<</F1 3 0 R>>>>" % self._new(text)
        entries += self.some(b"", b"", b"/CropBox[20 20 400 500]", b"/UserUnit 1.5")
        annotation = b"<</Type/Annot/Subtype/Link/Rect[9 9 20 20]>>"
        match self.randrange(5):
            case 0:
                entries += b"/Annots[%b]" % annotation
            case 1:
                entries += b"/Annots[%d 0 R]" % self._new(annotation)
            case 2:
                entries += b"/Annots %d 0 R" % self._new(b"[%d 0 R]" % self._new(annotation))
            case 3:
                entries += b"/Annots[]"
            case _:
                pass  # none
        return entries + self.some(b"", b"% a comment\n", b"/Tabs/S", b"/Odd#20Key(a\\)b)")

    def _form(self):
        field = self._new(b"<</FT/Tx/T(Nama)/V(Budi)/DA(/F1 12 Tf)>>")
        fields = b"[%d 0 R]" % field
        if self.random() < 0.3:
            fields = b"%d 0 R" % self._new(fields)
        form = b"<</Fields %b%b>>" % (fields, self.some(b"", b"/SigFlags 0", b"/SigFlags 1"))
        return b"/AcroForm " + (form if self.random() < 0.5 else b"%d 0 R" % self._new(form))

    def _structure(self):
        leaf = b"<</Limits[0 4]/Nums[0 null 4 null]>>"
        match self.randrange(3):
            case 0:
                parents = b"<</Nums[0 null 4 null]>>"
            case 1:
                parents = b"<</Kids[%d 0 R]>>" % self._new(leaf)
            case _:
                inner = self._new(b"<</Limits[0 4]/Kids[%d 0 R]>>" % self._new(leaf))
                parents = b"<</Kids[%d 0 R]>>" % inner
        tree = parents if self.random() < 0.3 else b"%d 0 R" % self._new(parents)
        kids = self.some(b"", b"/K[]", b"/K %d 0 R" % self._new(b"<</S/Document>>"))
        root = self._new(b"<</Type/StructTreeRoot/ParentTree %b%b>>" % (tree, kids))
        return b"/StructTreeRoot %d 0 R/MarkInfo<</Marked true>>" % root

    def document(self):
        """The bytes, and the password that opens them."""
        objects = self.objects()
        style = self.some("table", "stream", "hybrid")
        packed = []
        if style != "table":
            hideable = [number for number, body in objects.items() if isinstance(body, bytes)]
            packed = self.sample(hideable, self.randrange(len(hideable)))
        document = whole(
            objects,
            style=style,
            packed=packed,
            up=self.random() < 0.5,
            version=self.some(b"1.7", b"2.0"),
        )
        return self._rewritten(document)

    def _rewritten(self, document):
        how = self.some("", "", "", "linear", "encrypted")
        if not how:
            return document, b""
        out = io.BytesIO()
        secret = self.some("", "rahasia") if how == "encrypted" else ""
        with pikepdf.open(io.BytesIO(document)) as opened:
            streams = self.some(*pikepdf.ObjectStreamMode.__members__.values())
            if how == "linear":
                opened.save(out, linearize=True, object_stream_mode=streams)
            else:
                revision = self.some(2, 3, 4, 6)
                handler = pikepdf.Encryption(
                    owner="pemilik",
                    user=secret,
                    R=revision,
                    aes=revision > 3,
                    metadata=revision > 3,
                )
                opened.save(out, encryption=handler, object_stream_mode=streams)
        return out.getvalue(), secret.encode()


SEEDS = st.integers(min_value=0, max_value=2**32)
MANY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(seed=SEEDS)
def test_document_of_every_structure_is_sealed_and_genuine(lab, seed):
    original, password = Shape(seed).document()
    sealed = lab.seal(original, *PLACES, password=password)
    assert sealed.startswith(original)
    report = lab.verify(sealed, password)
    assert report.verdict is Verdict.GENUINE, report.checks
    assert len(report.serials) == len(PLACES)
    # It can be sealed again, and each seal keeps its own original.
    again = lab.seal(sealed, Placement(1, 150, 150, 65), password=password)
    second = lab.verify(again, password)
    assert second.verdict is Verdict.GENUINE, second.checks
    assert second.originals[:2] == report.originals
    assert inspect(again, [Placement(1, 20, 130, 65)], password=password).signatures == 2


@SOME
@given(seed=SEEDS)
def test_pyhanko_accepts_seal(lab, bench, seed):
    original, password = Shape(seed).document()
    sealed = lab.seal(original, *PLACES, password=password)
    reader = PdfFileReader(io.BytesIO(sealed), strict=False)
    if reader.encrypted:
        reader.decrypt(password)
    (signature,) = reader.embedded_signatures
    root = asn1_x509.Certificate.load(lab.issuer.root.public_bytes(Encoding.DER))
    context = ValidationContext(trust_roots=[root], moment=bench.at, allow_fetching=False)
    status = validate_pdf_signature(signature, context)
    assert status.bottom_line
    assert status.coverage is not None
    assert status.coverage.name == "ENTIRE_FILE"


TOKENS = [
    b"<<", b">>", b"[", b"]", b"(", b")", b"<", b">", b"/", b"0 0 R", b"1 0 R", b"4 0 R", b"obj",
    b"endobj", b"stream", b"null", b"-1", b"99999999999", b"true", b"/Kids", b"/Parent", b"%",
    b"\0", b"/Type", b"xref", b"trailer", b"1e9", b".", b"#", b"/Prev 9", b"/Length 9",
]  # fmt: skip


def edited(document, chance):
    changed = bytearray(document)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at, token = chance.randrange(len(changed)), chance.choice(TOKENS)
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                changed[at : at + len(token)] = token
            case 2:
                del changed[at : at + chance.randrange(1, 40)]
            case _:
                changed[at:at] = token
    return bytes(changed)


def asked(lab, document, password):
    """Call every entry but repair, which has a process of its own; all answer or refuse."""
    before = lab.verify(document, password)
    assert isinstance(before, CheckReport)
    try:
        inspect(document, PLACES, password=password)
        sealed = lab.seal(document, *PLACES, password=password)
    except Refusal:
        return before
    after = lab.verify(sealed, password).verdict
    if before.verdict in {Verdict.NOT_SEALED, Verdict.FOREIGN_SEAL}:
        assert after is Verdict.GENUINE
    return before


@MANY
@given(seed=SEEDS)
def test_mutated_document_is_sealed_or_refused(lab, seed):
    shape = Shape(seed)
    document, password = shape.document()
    asked(lab, edited(document, shape), password)


@MANY
@given(seed=SEEDS)
def test_mutated_sealed_document_is_never_genuine(lab, seed):
    shape = Shape(seed)
    document, password = shape.document()
    sealed = lab.seal(document, *PLACES, password=password)
    mutated = edited(sealed, shape)
    if mutated != sealed:
        assert not asked(lab, mutated, password).verdict.is_good


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=SEEDS)
def test_ingestion_of_mutated_document_repairs_or_refuses(seed):
    shape = Shape(seed)
    document, password = shape.document()
    try:
        prepared = ingest(edited(document, shape), PLACES, password=password)
    except Refusal:
        return
    assert prepared.inspection.pages >= 1
