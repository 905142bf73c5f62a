"""A look fuzzer: what follows a seal is mutated, signed by a stranger, verified; and looked at.

`python -m fuzz.looks --seconds 3600` mutates the update behind a seal (before its signature is made, so
that the signature holds) and what was prepared before sealing (`fuzz.mutations`).  Wherever the verdict is
good, the sealed file and the whole one are drawn by PDFium (screen and print), pdf_oxide and, where they
are installed, pdftoppm and mutool.  A finding is a page that looks another way outside of the signature's
box, or that had something under it.  The same seed makes the same files.
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

from fuzz.mutations import Strangers, one
from meterai.sealing import development_issuer
from meterai.sealing.checking.revisions import later_signatures
from meterai.sealing.pdf.document import open_document
from meterai.sealing.sandbox import rendering
from meterai.sealing.sandbox.rendering import PageLook
from tests.support.attacks.lab import AT, Lab

# Programs of the system, and how they write one page as a grey picture of 72 dots an inch.
_PROGRAMS = {
    "pdftoppm": "-gray -r 72 -f {page} -l {page} -singlefile {place}/a.pdf {place}/a",
    "mutool": "draw -q -c gray -r 72 -o {place}/a.pgm {place}/a.pdf {page}",
}
PAGE = (595.0, 842.0)  # points, of the letter
_LEVELS = 12  # of 255: what differs by less is the same
_SPECKS_MAX = 8  # pixels of a page
_BORDER = 3.0  # points around the box that a renderer may touch


@dataclass(frozen=True)
class Finding:
    """A file whose verdict is good, and the renderer that shows another page."""

    renderer: str
    page: int
    sealed: bytes
    document: bytes


def findings(lab: Lab, seed: int, count: int) -> Iterator[Finding | bool]:
    """For each of so many files: a finding, or whether its verdict was good."""
    chance = random.Random(seed)  # noqa: S311 - the same files for the same seed
    strangers = Strangers.of(lab)
    for _ in range(count):
        pair = one(strangers, chance)
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
    """The first renderer that shows a page another way outside of the boxes, or something under one."""
    for name in (*_RENDERERS, *_PROGRAMS):
        for number in (1, 2):
            was, now = _drawn(name, sealed, number), _drawn(name, document, number)
            on_page = [box for on, box in boxes if on == number]
            # What a renderer does not draw it shows nobody.
            if was is None or now is None:
                continue
            if _differ(was, now, on_page):
                return Finding(name, number, sealed, document)
            if any(_has_ink(was, box) for box in on_page):
                return Finding(f"{name}-under", number, sealed, document)
    return None


_RENDERERS: dict[str, type[rendering._Screen] | type[rendering._Oxide]] = {
    "screen": rendering._Screen,
    "print": rendering._Print,
    "oxide": rendering._Oxide,
}


def _drawn(name: str, document: bytes, number: int) -> Image.Image | None:
    """A page in grey; `None` if it is not drawn."""
    if name in _PROGRAMS:
        return _by_program(name, document, number)
    try:
        opened = _RENDERERS[name](document, b"")
        return opened.draw(PageLook(number, *PAGE, ()), 1.0).convert("L")
    except BaseException as cause:  # a panic of Rust is none
        if isinstance(cause, KeyboardInterrupt):
            raise
        return None


def _by_program(name: str, document: bytes, number: int) -> Image.Image | None:
    program = shutil.which(name)
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "a.pdf").write_bytes(document)
        words = _PROGRAMS[name].format(page=number, place=made).split()
        try:
            subprocess.run([program, *words], check=False, capture_output=True, timeout=20)  # noqa: S603
            with Image.open(Path(made) / "a.pgm") as picture:
                return picture.convert("L")
        except (OSError, SyntaxError, subprocess.TimeoutExpired):
            return None


def _area(picture: Image.Image, box: tuple[float, ...], border: float) -> tuple[int, int, int, int]:
    """A box of the letter in pixels, `border` points wider at each side."""
    left, low, right, top = box
    wide, high = picture.width / PAGE[0], picture.height / PAGE[1]
    return (
        round((left - border) * wide),
        round((PAGE[1] - top - border) * high),
        round((right + border) * wide),
        round((PAGE[1] - low + border) * high),
    )


def _has_ink(picture: Image.Image, box: tuple[float, ...]) -> bool:
    """True if something was in a box before there was one: seen where the page is upright and whole."""
    left, top, right, low = _area(picture, box, -_BORDER)
    if picture.size != (round(PAGE[0]), round(PAGE[1])) or left >= right or top >= low:
        return False
    counts = picture.histogram()
    paper = counts.index(max(counts))
    on_page = max(0, left), max(0, top), min(picture.width, right), min(picture.height, low)
    if on_page[0] >= on_page[2] or on_page[1] >= on_page[3]:
        return False
    inside = picture.crop(on_page).histogram()
    apart = sum(inside[: max(0, paper - _LEVELS)]) + sum(inside[paper + _LEVELS + 1 :])
    return apart > _SPECKS_MAX


def _differ(was: Image.Image, now: Image.Image, boxes: list[tuple[float, ...]]) -> bool:
    if was.size != now.size:
        return True
    apart = ImageChops.difference(was, now)
    changed = apart.point(lambda level: 255 if level > _LEVELS else 0)
    for box in boxes:
        changed.paste(0, _area(was, box, _BORDER))
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
