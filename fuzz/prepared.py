"""A fuzzer of what is prepared: a document is laid out for a later update to use, sealed, and so used.

`python -m fuzz.prepared --seconds 3600` puts one to three ingredients into a letter (`_INGREDIENTS`), has it
ingested and sealed as the platform does, and lets a stranger add a signature that tries to use them
(`_USES`).  Two things are looked at, by the renderers of `looks`: sealing shows no stamp on a page where
nobody put one; and wherever the verdict on the later file is good, it shows what was sealed.  The same
seed makes the same files.
"""

import argparse
import random  # noqa: TID251 - a seeded one, as the rule has it
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fuzz.looks import PAGE, Finding, boxes_of, looked_at
from fuzz.mutations import mutated
from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, Verdict, development_issuer, ingest, seal
from meterai.sealing.pdf.document import open_document
from meterai.sealing.pdf.pages import PageTree
from meterai.sealing.sandbox import rendering
from meterai.sealing.sandbox.rendering import PageLook
from meterai.sealing.sandbox.scanning import codes_in
from tests.support.attacks import by_hand
from tests.support.attacks.lab import AT, CHECK_URL, Lab
from tests.support.pdfmaker import Body, Stream, letter, whole

PLACE = Placement(1, 20, 20, 80)
PAGES = 2  # of a letter
_FIELD, _UNHUNG, _LIST, _PICTURE, _LAYER, _NOTE = 30, 31, 32, 33, 34, 35
_WORDS = b"BT /F1 40 Tf 40 500 Td (Rp 99.000.000) Tj ET 1 0 0 rg 60 400 300 200 re f"
_PAINTED = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
_REFERENCES = (
    *(b"%d 0 R", b"000%d 0 R", b"%d\n0\nR", b"%d%%c\n0 R", b"%d 0%%c\nR", b"%d\x0b0 R", b"+%d 0 R"),
    *(b"%d.0 0 R", b"%d 1 R", b"%d 00000 R"),
)
_KINDS = (
    *(b"/Square/IC[1 0 0]", b"/FreeText/DA(/F9 30 Tf)/Contents(Rp 99)", b"/Widget/FT/Sig/T(Siap)"),
    *(b"/Stamp/AP<</N 33 0 R>>", b"/Widget/FT/Tx/T(Isi)/V(Rp 99)/DA(/F9 30 Tf)"),
)
_TWICE = (b"/Rotate 90", b"/MediaBox[0 0 300 300]", b"/Contents 33 0 R", b"/Annots[31 0 R]")

Objects = dict[int, Body]
Chance = random.Random
OnPage = tuple[int, tuple[float, ...]]


@dataclass(frozen=True)
class Outcome:
    """What came of one file: `refused`, `sealed` (and then not good), `good`; and what was found."""

    word: str
    finding: Finding | None = None


def _put(objects: Objects, number: int, entries: bytes) -> None:
    body = objects[number]
    if isinstance(body, Stream):
        objects[number] = Stream(body.entries + entries, body.data)
    else:
        end = body.rfind(b">>")
        if end >= 0:  # else another ingredient has broken it
            objects[number] = body[:end] + entries + body[end:]


def _reference(chance: Chance) -> bytes:
    number = chance.choice(
        (*range(9, 60), *range(155, 175), 0x1_0000_0000 + chance.randrange(9, 60))
    )
    written: bytes = chance.choice(_REFERENCES) % number
    return written


def _dangling(chance: Chance, objects: Objects) -> None:
    """References to nothing, where annotations, contents, resources or fields are listed."""
    many = b" ".join(_reference(chance) for _ in range(chance.randint(1, 40)))
    match chance.randrange(5):
        case 0:
            _put(objects, chance.choice((4, 6)), b"/Annots[%b]" % many)
        case 1:
            objects[_LIST] = b"[5 0 R %b]" % many
            body = objects[4]
            assert isinstance(body, bytes)
            objects[4] = body.replace(b"/Contents 5 0 R", b"/Contents 32 0 R")
        case 2:
            _put(objects, 6, b"/Group %b" % _reference(chance))
        case 3:
            _put(objects, 1, b"/AcroForm<</Fields[%b]/DR %b>>" % (many, _reference(chance)))
        case _:
            _put(objects, 1, b"/OCProperties %b" % _reference(chance))


def _annotation(chance: Chance, objects: Objects) -> None:
    """An annotation that hangs nowhere, on one page, or on both; with a picture or without."""
    box = chance.choice((b"60 700 400 800", b"0 0 595 842", b"20 20 100 110", b"300 300 450 360"))
    flags = chance.choice((0, 2, 4, 32, 68))
    objects[_PICTURE] = Stream(_PAINTED, _WORDS)
    objects[_UNHUNG] = b"<</Type/Annot/Rect[%b]/F %d/P 4 0 R/Subtype%b>>" % (
        box,
        flags,
        chance.choice(_KINDS),
    )
    for page in chance.choice(((), (4,), (6,), (4, 6))):
        _put(objects, page, b"/Annots[31 0 R]")


def _shared(chance: Chance, objects: Objects) -> None:
    """A list of annotations of both pages, or one that is something else besides."""
    objects[_LIST] = chance.choice((b"[]", b"[31 0 R]", b"[%b]" % _reference(chance)))
    for page in (4, 6):
        _put(objects, page, b"/Annots 32 0 R")
    if chance.randrange(2):
        _put(objects, 1, b"/AcroForm<</Fields 32 0 R>>")


def _field(chance: Chance, objects: Objects) -> None:
    """A field that waits for a signature, with a look of its own."""
    more = chance.choice(
        (b"", b"/AP<</N 33 0 R>>", b"/MK<</BG[1 0 0]>>", b"/OC 34 0 R", b"/Parent 31 0 R", b"/F 32")
    )
    objects[_PICTURE] = Stream(_PAINTED, chance.choice((b"", _WORDS)))
    objects[_FIELD] = (
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Siap)/Rect[60 400 360 600]/P 4 0 R%b>>" % more
    )
    form = chance.choice((b"", b"/NeedAppearances true", b"/DA(/F9 9 Tf)/Q 2", b"/SigFlags 1"))
    _put(objects, 1, b"/AcroForm<</Fields[30 0 R]%b>>" % form)
    _put(objects, 4, b"/Annots[30 0 R]")


def _layers(chance: Chance, objects: Objects) -> None:
    """Words on a layer that is not shown, on the page or as an annotation."""
    objects[_LAYER] = b"<</Type/OCG/Name(L)>>"
    state = chance.choice(
        (b"/OFF[34 0 R]", b"/BaseState/OFF", b"/AS[<</Event/Print/OCGs[34 0 R]>>]")
    )
    _put(objects, 1, b"/OCProperties<</OCGs[34 0 R]/D<<%b>>>>" % state)
    _put(objects, 4, b"/Properties<</L 34 0 R>>")
    body = objects[4]
    assert isinstance(body, bytes)
    objects[4] = body.replace(b"/Resources<<", b"/Resources<</Properties<</L 34 0 R>>", 1)
    objects[5] = Stream(b"", b"/OC /L BDC %b EMC" % _WORDS)


def _twice(chance: Chance, objects: Objects) -> None:
    """A key that stands twice, in the page or in its content."""
    objects[_PICTURE] = Stream(b"", _WORDS)
    _put(objects, chance.choice((4, 6)), chance.choice(_TWICE))


def _lengths(chance: Chance, objects: Objects) -> None:
    """A stream that is longer or shorter than it says, with an object of another number in it."""
    inside = b"0 0 m\nendstream\nendobj\n4 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>\nendobj\n"
    body = chance.choice((inside, inside + b"5 0 obj\n<</Length 9>>stream\n1 0 0 rg\n", _WORDS))
    objects[_NOTE] = Stream(chance.choice((b"", b"/Length 3", b"/Length 36 0 R")), body)
    _put(objects, 1, b"/Piece 35 0 R")


def _parents(chance: Chance, objects: Objects) -> None:
    """A page whose /Parent is not the node that lists it, or that inherits."""
    objects[_LIST] = b"<</Type/Pages/Kids[4 0 R]/Count 1/MediaBox[0 0 300 300]/Rotate 90>>"
    body = objects[4]
    assert isinstance(body, bytes)
    body = body.replace(b"/Parent 2 0 R", b"/Parent 32 0 R")
    objects[4] = body.replace(b"/MediaBox[0 0 595 842]", b"") if chance.randrange(2) else body


def _tokens(chance: Chance, objects: Objects) -> None:
    """Whatever the other fuzzer does to the bytes of an object."""
    number = chance.choice(sorted(objects))
    body = objects[number]
    if isinstance(body, bytes):
        objects[number] = mutated(chance, body)


_INGREDIENTS: tuple[Callable[[Chance, Objects], None], ...] = (
    *(_dangling, _dangling, _annotation, _annotation, _shared, _field, _layers, _twice),
    *(_lengths, _parents, _tokens),
)


def _prepared(chance: Chance) -> bytes:
    objects: Objects = dict(letter(PAGES))
    for _ in range(chance.randint(1, 3)):
        chance.choice(_INGREDIENTS)(chance, objects)
    plain = [number for number, body in objects.items() if isinstance(body, bytes) and number > 1]
    style = chance.choice(("table", "stream", "hybrid"))
    packed = chance.sample(plain, len(plain) // 2) if style == "stream" else ()
    if chance.randrange(8) == 0:
        head: Objects = {99: b"<</Linearized 1/L %d/N 2/O 4>>" % chance.randrange(14_000, 40_000)}
        objects = head | objects
    return whole(objects, style=style, packed=packed)  # type: ignore[arg-type]


# -- what the later update does with it ----------------------------------------------------------


def _hang(chance: Chance, objects: Objects) -> None:
    """The page lists one more annotation that was there."""
    body = objects[4]
    assert isinstance(body, bytes)
    one = chance.choice((b"31 0 R ", b"30 0 R ", b"33 0 R ", b"%b " % _reference(chance)))
    objects[4] = body.replace(b"160 0 R]", one + b"160 0 R]")


def _fill(chance: Chance, objects: Objects) -> None:
    """Objects with numbers that something may wait for, each a part of the picture."""
    numbers = chance.sample((*range(9, 60), *range(164, 175)), chance.randint(1, 6))
    names = b"".join(b"/X%d %d 0 R" % (number, number) for number in numbers)
    objects.update({number: Stream(_PAINTED, _WORDS) for number in numbers})
    _put(objects, by_hand.PICTURE, b"/Resources<</XObject<<%b>>>>" % names)


def _sign_the_field(chance: Chance, objects: Objects) -> None:
    """The field that waited gets the signature, and perhaps another look."""
    looks = chance.choice((b"", b"/AP<</N 162 0 R>>", b"/F 4", b"/AP<</N 33 0 R>>"))
    objects[_FIELD] = (
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Siap)/Rect[60 400 360 600]/P 4 0 R/V 161 0 R%b>>"
        % looks
    )
    del objects[by_hand.FIELD]
    for number in [one for one in objects if one not in (30, 161, 162)]:
        del objects[number]


def _grow_resources(chance: Chance, objects: Objects) -> None:
    """The form gets a font by the name that something uses."""
    form = next(
        number for number, body in objects.items() if isinstance(body, bytes) and b"/Fields" in body
    )
    _put(objects, form, b"/DR<</Font<</F9 163 0 R>>>>/DA(/F9 60 Tf)")
    objects[by_hand.MORE] = b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"


def _rewrite(chance: Chance, objects: Objects) -> None:
    """An object that was there, written again as something else."""
    number = chance.choice((1, 2, 3, 5, 6, *range(30, 36)))
    objects[number] = chance.choice((Stream(_PAINTED, _WORDS), b"<<>>", b"[31 0 R]", b"null"))


def _mutate(chance: Chance, objects: Objects) -> None:
    number = chance.choice([one for one in objects if one != by_hand.SIGNATURE])
    body = objects[number]
    if isinstance(body, bytes):
        objects[number] = mutated(chance, body)


def _nothing(_: Chance, __: Objects) -> None:
    """An honest signature."""


_USES: tuple[Callable[[Chance, Objects], None], ...] = (
    *(_hang, _fill, _fill, _sign_the_field, _grow_resources, _rewrite, _mutate, _nothing, _nothing),
)


def _shows_the_stamp_elsewhere(sealed: bytes) -> bool:
    """True if the other page has the code of a stamp."""
    try:
        opened = rendering._Screen(sealed, b"")
        return opened.pages > 1 and bool(codes_in(opened.draw(PageLook(2, *PAGE, ()), 4.0)))
    # What is not drawn shows no stamp.
    except Exception:
        return False


def one(lab: Lab, chance: Chance) -> Outcome:
    """One file: prepared, sealed, used, looked at."""
    document = _prepared(chance)
    try:
        prepared = ingest(document, [PLACE])
        if prepared.inspection.pages != PAGES:
            return Outcome("refused")  # a page that was lost is on no picture
        stamps = lab.stamps(prepared.document, PLACE)
        delta = seal(prepared, stamps, lab.issuer, at=AT, check_url=CHECK_URL, specimen=True)
    except Refusal:
        return Outcome("refused")
    sealed = prepared.document + delta.data
    if _shows_the_stamp_elsewhere(sealed):
        return Outcome("sealed", Finding("stamped elsewhere", 2, prepared.document, sealed))
    try:
        objects = by_hand.objects_of(sealed)
        chance.choice(_USES)(chance, objects)
        later = by_hand.signed(lab, sealed, objects, style=chance.choice(("table", "stream")))
    # What a stranger's program would not write either is no update.
    except (AssertionError, ValueError, KeyError, IndexError, StopIteration, re.error):
        return Outcome("sealed")
    report = lab.verify(later)
    if not report.verdict.is_good:
        return Outcome("sealed")
    if report.verdict is Verdict.GENUINE:
        return Outcome("good", Finding("nobody signed", 0, sealed, later))
    return Outcome("good", looked_at(sealed, later, _as_seen(sealed, boxes_of(sealed, later))))


def _as_seen(sealed: bytes, boxes: list[OnPage]) -> list[OnPage]:
    """Boxes as they are on a page that is seen upright and as large as one of the letter."""
    tree = PageTree(open_document(sealed, bytes_max=len(sealed)))
    pages = {page.number: page for page in tree.all()}
    found: list[OnPage] = []
    for number, (left, low, right, top) in boxes:
        page = pages[number]
        wide, high = PAGE[0] / page.size.width, PAGE[1] / page.size.height
        seen = page.seen((left, low, right, top))
        found.append((number, (seen[0] * wide, seen[1] * high, seen[2] * wide, seen[3] * high)))
    return found


def outcomes(lab: Lab, seed: int, count: int) -> Iterator[Outcome]:
    """What came of so many files."""
    chance = Chance(seed)
    for _ in range(count):
        yield one(lab, chance)


def main() -> None:
    """Fuzz for some time; findings are written beside each other, and the numbers are printed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--to", type=Path, default=Path("build/prepared"))
    given = asked.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    counted = {"refused": 0, "sealed": 0, "good": 0}
    made = found = 0
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(development_issuer(Path(directory) / "issuer", at=AT), Path(directory))
        until = time.monotonic() + given.seconds
        while time.monotonic() < until:
            for outcome in outcomes(lab, given.seed + made, 20):
                made += 1
                counted[outcome.word] += 1
                if outcome.finding is not None:
                    found += 1
                    name = f"{given.seed}-{made}-{outcome.finding.renderer}-{outcome.finding.page}"
                    (given.to / f"{name}.pdf").write_bytes(outcome.finding.document)
                    (given.to / f"{name}.before.pdf").write_bytes(outcome.finding.sealed)
    said = ", ".join(f"{count} {word}" for word, count in counted.items())
    sys.stdout.write(f"seed {given.seed}: {made} files, {said}, {found} findings\n")
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
