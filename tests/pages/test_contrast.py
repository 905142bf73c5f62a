"""Every text has a contrast of at least 4.5 to 1 to its background (WCAG 2.2, 1.4.3), by day and by night, on pages
and in mails.

A pair is a text colour and a background: that of its own rule, or, without one, each possible background of a part
of a page.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.tidy.sources import PACKAGE, REHEARSAL

CONTRAST_MIN = 4.5
PAGES, WAITING = "pages/static/first.css", "waiting_room/static/waiting.css"
SHEETS = {
    PAGES: (
        PACKAGE / PAGES,
        PACKAGE / "pages/static/site.css",
        PACKAGE / "verification/static/verdict.css",
    ),
    WAITING: (PACKAGE / WAITING,),
    "assessment/report.css": (REHEARSAL / "assessment/report.css",),
}
# One rule sets the colour, and other rules set the backgrounds of the same element.
GROUNDS_ELSEWHERE = {
    ".sign": ("--good", "--bad", "--wait", "--act"),
    ".band h1": ("--brand",),
    ".band .subtitle": ("--brand",),
}
# No text is written there: a sign whose text has the colour above, a dot, and the paper of a QR code.
NO_TEXT = re.compile(r"\.sign$|::after$|^\.qr$|^\.(bar|swatch)")
MAIL = (PACKAGE / "notifications/templates/mail.html").read_text()
# Paper is white: print uses the colours of the day.
_PRINTED = re.compile(r"@media print \{(?:[^{}]|\{[^{}]*\})*\}")
_RULE = re.compile(r"([^{};]+)\{([^{}]*)\}")
_TOKEN = re.compile(r"(--[\w-]+):\s*(#[0-9a-fA-F]{3,6})\b")
_COLOUR = re.compile(r"var\((--[\w-]+)\)|(#[0-9a-fA-F]{3,6})\b")


class Pair(NamedTuple):
    """A text colour and its background, each as #rrggbb, and the places of both."""

    where: str
    text: str
    ground: str


def brightness(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    digits = colour.removeprefix("#")
    full = digits if len(digits) == 6 else "".join(2 * one for one in digits)
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


def modes(css: str) -> dict[str, dict[str, str]]:
    """Return the custom properties by day and, if there are any, by night."""
    day, *night = [
        dict(_TOKEN.findall(body)) for name, body in _RULE.findall(css) if ":root" in name
    ]
    return {"day": day} | ({"night": day | night[0]} if night else {})


def said(body: str, name: str, tokens: Mapping[str, str]) -> str | None:
    """Return the colour that a rule gives a property."""
    found = re.search(rf"(?<![\w-]){name}:\s*([^;]+)", body)
    colour = _COLOUR.match(found[1].strip()) if found else None
    return (tokens[colour[1]] if colour[1] else colour[2]) if colour else None


def pairs_of(name: str, css: str) -> Iterator[Pair]:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    for mode, tokens in modes(css).items():
        grounds = [
            one for one in tokens if re.fullmatch(r"--(wash|paper|tint|note|[\w-]+-wash)", one)
        ]
        for selector, body in _RULE.findall(_PRINTED.sub("", css) if mode == "night" else css):
            where = f"{name} {mode} {selector.strip()}"
            text = said(body, "color", tokens)
            ground = said(body, "background(?:-color)?", tokens)
            if text and ground:
                yield Pair(where, text, ground)
            elif text:
                for one in GROUNDS_ELSEWHERE.get(selector.strip(), grounds):
                    yield Pair(f"{where} on {one}", text, tokens[one])
            elif ground and not NO_TEXT.search(selector.strip()):
                yield Pair(f"{where} under ink", tokens["--ink"], ground)


def pairs_of_mails() -> Iterator[Pair]:
    """Return inline colours by day, and those that replace them by night."""
    day, night = "#ffffff", "#16202b"
    sheet = MAIL.partition("prefers-color-scheme: dark) {")[2].partition("</style>")[0]
    changed = set()
    for selector, body in _RULE.findall(sheet):
        changed |= {one.strip().removeprefix(".") for one in selector.split(",")}
        yield Pair(f"mail night {selector.strip()}", str(said(body, "color", {})), night)
    assert f"background: {night} !important" in sheet
    for tag, attributes in re.findall(r"<(\w+)([^>]*style=[^>]*)>", MAIL):
        text = said(attributes, "color", {})
        ground = said(attributes, "background", {})
        if text is None:
            continue
        yield Pair(f"mail day {tag}", text, ground or day)
        named = re.search(r'class="(\w+)"', attributes)
        if not ground:
            assert {tag, named and named[1]} & changed, f"{tag} has no colour by night"


PAIRS = [
    *(
        pair
        for name, files in SHEETS.items()
        for pair in pairs_of(name, "".join(one.read_text() for one in files))
    ),
    *pairs_of_mails(),
]


def test_every_text_has_enough_contrast() -> None:
    wrong = [pair for pair in PAIRS if contrast(pair.text, pair.ground) < CONTRAST_MIN]
    assert not wrong, "\n".join(" ".join(pair) for pair in wrong)
