"""What the look fuzzer makes: documents prepared before sealing, and what a stranger appends.

Each document is one of `_PREPARED`, each update one of `_APPENDED`; both are mutated, and signed by a
stranger with one of `Strangers`.
"""

import asyncio
import hashlib
import random  # noqa: TID251 - a seeded one, as the rule has it
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import rsa
from pyhanko.sign import signers
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, development_issuer
from tests.support.attacks import by_hand
from tests.support.attacks.lab import AT, Lab
from tests.support.pdfmaker import Body, Stream, letter, text_of, update, whole

_TOKENS = [
    *(b"/Contents 163 0 R", b"/MediaBox[0 0 300 300]", b"/Rotate 90", b"/CropBox[0 0 99 99]"),
    *(b"/OC 5 0 R", b"/Parent 4 0 R", b"/AP<</N 163 0 R>>", b"/F 0", b"/F 4", b"/F 2", b"/F 28"),
    *(
        b"/Rect[0 0 595 842]",
        b"/BBox[-900 -900 900 900]",
        b"/Matrix[9 0 0 9 -99 -99]",
        b"/MK<</BG[0]>>",
    ),
    *(b"/Border[0 0 90]", b"/BS<</W 90>>", b"/Resources<</Font<</F1 163 0 R>>>>", b"/UserUnit 2"),
    *(
        b"160 0 R",
        b"5 0 R",
        b"163 0 R",
        b"0160 0 R",
        b"null",
        b"[",
        b"]",
        b"<<",
        b">>",
        b"%",
        b"%\n",
    ),
    *(b"\0", b"\x0b", b"\n", b" ", b"/", b"(", b")", b"#", b"/Kids[160 0 R]", b"/Annots[160 0 R]"),
    *(
        b"/Subtype/Square",
        b"/IC[1 0 0]",
        b"/Type/Page",
        b"/NeedAppearances true",
        b"/DA(/F1 90 Tf)",
    ),
    *(b"/Fields[160 0 R]", b"/Group<</S/Transparency/I true>>", b"/FT/Tx", b"/V(x)", b"/Length 9"),
]
_WORDS = b"BT /F1 40 Tf 40 500 Td (Rp 99.000.000) Tj ET 1 0 0 rg 0 0 400 300 re f"


# Of contents and images: what readers are known to draw differently, and what they are not yet.
_DRAWING = [
    *(b"60 300 380 60 re f", b"--9 ", b"1e2 ", b"/W 8", b"/BPC 8", b"/CS/G", b"/D[1 0]", b"/F/Fl"),
    *(b" EI ", b"q 400 0 0 60 60 300 cm /I Do Q", b"BI/W 1/H 1/BPC 8/CS/G ID x EI", b"/Length 0"),
    *(b"3 Tr ", b"0 Tz ", b"/G gs ", b"/P scn ", b"W n ", b"BT ", b"ET ", b"Q ", b"[", b"(", b"<<"),
    *(b"/Filter/X", b"/Filter[/AHx]", b"/ImageMask true", b"/Decode[1 0]", b"/Mask[0 0]", b"\x0b"),
]
_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
_IMAGE = b"/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8/ColorSpace/DeviceGray"
_SQUARE = b"<</Type/Annot/Subtype/Square/Rect[60 700 400 800]/IC[1 0 0]/P 4 0 R%b>>"

Objects = dict[int, Body]


class PssLab(Lab):
    """A laboratory in which the stranger signs with RSASSA-PSS."""

    @cached_property
    def stranger(self) -> signers.SimpleSigner:
        return self.signer_with(rsa.generate_private_key(65537, 2048), prefer_pss=True)


class TimeLab(Lab):
    """A laboratory in which the stranger is an authority for time-stamps."""

    @cached_property
    def _authority(self) -> DummyTimeStamper:
        keys = self.directory / "authority"
        development_issuer(keys, algorithm="rsa2048", at=AT)
        made = signers.SimpleSigner.load(str(keys / "seal.key"), str(keys / "seal.pem"))
        return DummyTimeStamper(
            made.signing_cert, made.signing_key, certs_to_embed=SimpleCertificateStore()
        )

    def cms_over(self, covered: bytes) -> bytes:
        """A time-stamp token over some bytes."""
        digest = hashlib.sha256(covered).digest()
        return bytes(asyncio.run(self._authority.async_timestamp(digest, "sha256")).dump())


@dataclass(frozen=True)
class Strangers:
    """Who signs what follows a seal: with ECDSA, with RSASSA-PSS, or as an authority for time."""

    plain: Lab
    pss: PssLab
    time: TimeLab

    @classmethod
    def of(cls, lab: Lab) -> "Strangers":
        """All three, with the issuer of one."""
        return cls(lab, PssLab(lab.issuer, lab.directory), TimeLab(lab.issuer, lab.directory))


def mutated(chance: random.Random, body: bytes) -> bytes:
    """The bytes with one to three small changes."""
    for _ in range(chance.randint(1, 3)):
        at, until = sorted(chance.randrange(len(body) + 1) for _ in range(2))
        match chance.randrange(6):
            case 0 | 1:
                body = body[:at] + chance.choice(_TOKENS) + body[at:]
            case 2:
                end = body.rfind(b">>")
                body = body[:end] + chance.choice(_TOKENS) + body[end:] if end > 0 else body
            case 3:
                body = body[:at] + body[min(until, at + 12) :]
            case 4:
                body = body[:until] + body[at : min(until, at + 40)] + body[until:]
            case _:
                digits = [index for index, one in enumerate(body) if 48 <= one <= 57]
                if digits:
                    spot = chance.choice(digits)
                    body = body[:spot] + b"%d" % chance.randrange(10) + body[spot + 1 :]
    return body


def _changed(chance: random.Random, objects: dict[int, Body]) -> dict[int, Body]:
    made = dict(objects)
    for number in chance.sample(sorted(made), chance.randint(1, 2)):
        body = made[number]
        if number == by_hand.SIGNATURE:
            continue
        if isinstance(body, Stream):
            made[number] = Stream(mutated(chance, body.entries), body.data)
        else:
            made[number] = mutated(chance, body)
    return made


def _with_annotation(*entries: bytes) -> Objects:
    made: Objects = dict(letter(2))
    for index, more in enumerate(entries):
        made[50 + index] = _SQUARE % more
    listed = b" ".join(b"%d 0 R" % (50 + index) for index in range(len(entries)))
    made[4] = text_of(made[4])[:-2] + b"/Annots[%b]>>" % listed
    return made


def _waiting_content(_: random.Random) -> Objects:
    made = _with_annotation(b"/F 4")
    made[51] = b"[5 0 R 163 0 R]"
    return made


def _layers(chance: random.Random) -> Objects:
    """Words and an annotation of a layer that is off at first."""
    made = _with_annotation(b"/F 4/OC 52 0 R")
    state = chance.choice((b"/OFF[52 0 R]", b"/BaseState/OFF", b"/ON[52 0 R]", b"/AS[]"))
    made[1] = b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[52 0 R]/D<<%b>>>>>>" % state
    made[52] = b"<</Type/OCG/Name(L)/Usage<</Print<</PrintState/OFF>>>>>>"
    made[4] = text_of(made[4]).replace(b"/Resources<<", b"/Resources<</Properties<</L 52 0 R>>")
    made[5] = Stream(b"", b"/OC/L BDC 60 500 300 40 re f EMC BT /F1 24 Tf 72 760 Td (x) Tj ET")
    return made


def _paper_alone(_: random.Random) -> Objects:
    """Annotations that only the screen shows, only paper, and nobody."""
    return _with_annotation(b"/F 0", b"/F 36", b"/F 6", b"/F 2")


def _empty_field(chance: random.Random) -> Objects:
    """A field that waits for its signature, with looks, states and a parent."""
    made: Objects = dict(letter(2))
    looks = chance.choice((b"", b"/MK<</BG[0]>>", b"/AS/On/AP<</N<</On 62 0 R/Off 62 0 R>>>>"))
    widget = b"/Type/Annot/Subtype/Widget/F 4/Rect[300 300 450 360]/P 4 0 R%b" % looks
    made[1] = b"<</Type/Catalog/Pages 2 0 R/AcroForm 59 0 R>>"
    made[59] = b"<</Fields[60 0 R]/NeedAppearances false>>"
    made[60] = b"<</FT/Sig/T(Kosong)/Kids[61 0 R]>>"
    made[61] = b"<<%b/Parent 60 0 R>>" % widget
    made[62] = Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]", b"")
    made[4] = text_of(made[4])[:-2] + b"/Annots[61 0 R]>>"
    return made


def _drawn_apart(chance: random.Random) -> Objects:
    """Where the signature will be, a content that few readers may draw."""
    made: Objects = dict(letter(2))
    made[4] = text_of(made[4]).replace(b"/Resources<<", b"/Resources<</XObject<</I 60 0 R>>")
    drawn = b"q 400 0 0 60 60 300 cm %b Q "
    what = chance.choice((b"/I Do", b"BI/W 8/H 8/BPC 8/CS/G ID %b EI" % bytes(64), b"0 0 1 1 re f"))
    for _ in range(chance.randint(1, 3)):
        what = _with_token(chance, what)
    made[5] = Stream(b"", drawn % what)
    entries = _IMAGE
    for _ in range(chance.randint(0, 3)):
        at = chance.choice([index for index, one in enumerate(entries) if one == 47])
        if chance.randrange(2):
            entries = entries[:at] + chance.choice(_DRAWING) + entries[at:]
        else:
            end = entries.find(b"/", at + 1)
            entries = entries[:at] + (entries[end:] if end > 0 else b"")
    made[60] = Stream(entries, bytes(64))
    return made


def _with_token(chance: random.Random, text: bytes) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_DRAWING) + text[at:]


_PREPARED: tuple[Callable[[random.Random], Objects], ...] = (
    _waiting_content,
    _layers,
    _paper_alone,
    _empty_field,
    _drawn_apart,
    _drawn_apart,
)


def _objects(chance: random.Random, sealed: bytes) -> Objects:
    """What a stranger appends: a field, or the signature of one that waits, with looks of some kind."""
    objects = by_hand.objects_of(sealed)
    match chance.randrange(6):
        case 0:
            objects |= {by_hand.MORE: Stream(_FORM, _WORDS)}
        case 1:
            place = chance.choice(
                (b"/MK<</BG[1]/R 90>>", b"/OC 52 0 R", b"/AS/On", b"/Parent 4 0 R")
            )
            objects[by_hand.FIELD] = by_hand.WIDGET % place
        case 2:
            states = b"/AP<</N<</On 162 0 R/Off 163 0 R>>>>/AS/On"
            shown = text_of(objects[by_hand.FIELD]).replace(b"/AP<</N 162 0 R>>", states)
            objects |= {by_hand.FIELD: shown, by_hand.MORE: Stream(_FORM, _WORDS)}
        case _:
            pass
    return objects


def one(strangers: Strangers, chance: random.Random) -> tuple[bytes, bytes] | None:
    """A sealed file and what a stranger made of it; `None` where it could not be sealed."""
    lab = strangers.plain
    made: Objects = dict(letter(2))
    if chance.randrange(3):
        made = chance.choice(_PREPARED)(chance)
        if chance.randrange(2):
            made = _changed(chance, made)
    try:
        sealed = lab.seal(whole(made))
        if not chance.randrange(6):
            sealed = lab.seal(sealed, Placement(2, 20, 20, 65))
        if not by_hand.form_number(sealed):
            return None
        objects = _objects(chance, sealed)
        by, style = strangers.plain, chance.choice(("table", "stream"))
        kind = chance.randrange(8)
        if kind == 0:
            by = strangers.pss
        elif kind == 1:
            by = strangers.time
            objects[by_hand.SIGNATURE] = text_of(objects[by_hand.SIGNATURE]).replace(
                b"/Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached",
                b"/Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161",
            )
        if chance.randrange(4):
            objects = _changed(chance, objects)
        document = by_hand.signed(by, sealed, objects, style=style)
        if kind == 2:
            document = _in_the_gap(chance, document, len(sealed))
        return sealed, document
    # What is refused by name is no attack; whatever else comes out of sealing is a finding.
    except Refusal:
        return None


def _in_the_gap(chance: random.Random, document: bytes, end: int) -> bytes:
    """Between a seal and what follows it, or behind all, what no signature covers."""
    more: Objects = {7: Stream(b"", _WORDS)}
    if chance.randrange(2):
        return update(document, more)
    octets = chance.choice((b"\n", b"%x\n", b"7 0 obj<<>>endobj\n"))
    return document[:end] + octets + document[end:]
