"""A look fuzzer: what follows a seal is mutated, signed by a stranger, verified; and looked at.

`python -m fuzz.looks --seconds 3600` mutates the update behind a seal (before its signature is made, so
that the signature holds) or what was prepared before sealing, in turn.  Wherever the verdict is good, the
sealed file and the whole one are drawn by PDFium (screen and print), pdf_oxide and, where it is
installed, pdftoppm; a finding is a page that looks another way outside of the signature's box.  The same
seed makes the same files.
"""

import argparse
import random  # noqa: TID251 - a seeded one, as the rule has it
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from meterai.sealing import development_issuer
from meterai.sealing.checking.revisions import later_signatures
from meterai.sealing.pdf.document import open_document
from meterai.sealing.sandbox import rendering
from meterai.sealing.sandbox.rendering import PageLook
from tests.support.attacks import by_hand
from tests.support.attacks.lab import AT, Lab
from tests.support.pdfmaker import Body, Stream, letter, whole

_POPPLER = shutil.which("pdftoppm")
_POPPLER_SAYS = ("-gray", "-r", "72", "-f")
PAGE = (595.0, 842.0)  # points, of the letter
_LEVELS = 12  # of 255: what differs by less is the same
_SPECKS_MAX = 8  # pixels of a page
_BORDER = 3.0  # points around the box that a renderer may touch

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


@dataclass(frozen=True)
class Finding:
    """A file whose verdict is good, and the renderer that shows another page."""

    renderer: str
    page: int
    sealed: bytes
    document: bytes


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


def one(lab: Lab, chance: random.Random) -> tuple[bytes, bytes] | None:
    """A sealed file and what a stranger made of it; `None` where it could not be sealed."""
    made: dict[int, Body] = dict(letter(2))
    more: dict[int, Body] = {}
    if chance.randrange(2):
        made[50] = b"<</Type/Annot/Subtype/Square/Rect[60 700 400 800]/IC[1 0 0]/F 4/P 4 0 R>>"
        made[51] = b"[5 0 R 163 0 R]"
        made = _changed(chance, made)
        more = {by_hand.MORE: Stream(b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]", _WORDS)}
    try:
        sealed = lab.seal(whole(made))
        objects = by_hand.objects_of(sealed) | more
        if chance.randrange(4):
            objects = _changed(chance, objects)
        return sealed, by_hand.signed(
            lab, sealed, objects, style=chance.choice(("table", "stream"))
        )
    # What cannot be sealed, or not be written, is no attack.
    except Exception:
        return None


def findings(lab: Lab, seed: int, count: int) -> Iterator[Finding | bool]:
    """For each of so many files: a finding, or whether its verdict was good."""
    chance = random.Random(seed)  # noqa: S311 - the same files for the same seed
    for _ in range(count):
        pair = one(lab, chance)
        if pair is None:
            yield False
            continue
        sealed, document = pair
        report = lab.verify(document)
        if not report.verdict.is_good:
            yield False
            continue
        found = looked_at(sealed, document, boxes_of(sealed, document))
        yield found if found is not None else True


def boxes_of(sealed: bytes, document: bytes) -> list[tuple[int, tuple[float, ...]]]:
    """The boxes that the later signatures say they are in, each with its page."""
    now = open_document(document, bytes_max=len(document))
    later = later_signatures(now, open_document(sealed, bytes_max=len(sealed)))
    return [
        (widget.page, widget.rectangle)
        for one in later
        for widget in one.field.widgets
        if widget.is_visible
    ]


def looked_at(
    sealed: bytes, document: bytes, boxes: list[tuple[int, tuple[float, ...]]]
) -> Finding | None:
    """The first renderer that shows a page another way outside of the boxes."""
    pages = [PageLook(number, *PAGE, ()) for number in (1, 2)]
    for kind in (rendering._Screen, rendering._Print, rendering._Oxide):
        try:
            before, after = kind(sealed, b""), kind(document, b"")
            if before.pages != after.pages:
                return Finding(kind.__name__, 0, sealed, document)
            for page in pages[: before.pages]:
                was, now = before.draw(page, 1.0), after.draw(page, 1.0)
                if _differ(was, now, [box for on, box in boxes if on == page.number]):
                    return Finding(kind.__name__, page.number, sealed, document)
        except Exception:  # noqa: S112 - what one renderer does not draw it shows nobody
            continue
    return _by_poppler(sealed, document, boxes)


def _by_poppler(
    sealed: bytes, document: bytes, boxes: list[tuple[int, tuple[float, ...]]]
) -> Finding | None:
    if _POPPLER is None:
        return None
    for number in (1, 2):
        was, now = _poppler(sealed, number), _poppler(document, number)
        on_page = [box for on, box in boxes if on == number]
        if was is not None and now is not None and _differ(was, now, on_page):
            return Finding("pdftoppm", number, sealed, document)
    return None


def _poppler(document: bytes, number: int) -> Image.Image | None:
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "a.pdf").write_bytes(document)
        place = f"{made}/a"
        subprocess.run(  # noqa: S603 - a program of the system, no shell
            [str(_POPPLER), *_POPPLER_SAYS, str(number), "-l", str(number), f"{place}.pdf", place],
            check=False,
            capture_output=True,
            timeout=20,
        )
        pictures = sorted(Path(made).glob("a*.pgm"))
        return Image.open(pictures[0]).convert("L").copy() if pictures else None


def _differ(was: Image.Image, now: Image.Image, boxes: list[tuple[float, ...]]) -> bool:
    if was.size != now.size:
        return True
    apart = ImageChops.difference(was.convert("L"), now.convert("L"))
    changed = apart.point(lambda level: 255 if level > _LEVELS else 0)
    wide, high = was.width / PAGE[0], was.height / PAGE[1]
    for left, low, right, top in boxes:
        area = (
            round((left - _BORDER) * wide),
            round((PAGE[1] - top - _BORDER) * high),
            round((right + _BORDER) * wide),
            round((PAGE[1] - low + _BORDER) * high),
        )
        changed.paste(0, area)
    return sum(changed.histogram()[1:]) > _SPECKS_MAX


def main() -> None:
    """Fuzz for some time; findings are written beside each other, and their number is printed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--to", type=Path, default=Path("build/looks"))
    given = asked.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    made = good = found = 0
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(development_issuer(Path(directory) / "issuer", at=AT), Path(directory))
        until = time.monotonic() + given.seconds
        while time.monotonic() < until:
            for answer in findings(lab, given.seed + made, 20):
                made += 1
                good += answer is not False
                if isinstance(answer, Finding):
                    found += 1
                    name = f"{given.seed}-{made}-{answer.renderer}-{answer.page}"
                    (given.to / f"{name}.pdf").write_bytes(answer.document)
                    (given.to / f"{name}.sealed.pdf").write_bytes(answer.sealed)
    sys.stdout.write(
        f"seed {given.seed}: {made} files, {good} with a good verdict, {found} findings\n"
    )
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
