"""Later signatures whose picture is the code of a stamp, or is drawn in another way by each reader."""

import re

import segno

from tests.support.attacks.lab import Attack, Lab, changed
from tests.support.attacks.later import Make, signed_with_picture

_BOX = (200, 300, 320, 420)  # on the second page, which has no words
_PAGE = 6
_SIZE = 92.0  # of a code, with its quiet zone around
_UNKNOWN_COLOUR = b"/DeviceRGB cs 1 1 1 1 sc "
_HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def _address(lab: Lab) -> str:
    """What the code of the stamp of the sealed letter says."""
    serials, claims = (
        re.search(rb"/%b\s*\[\s*\(([^)]*)\)" % key, lab.sealed) for key in (b"Serials", b"Claims")
    )
    assert serials is not None
    assert claims is not None
    return f"HTTPS://METERAI.EXAMPLE/C/{serials[1].decode()}/{claims[1].decode()}"


def _code(
    text: str, *, left: float = 4, low: float = 4, size: float = _SIZE, dot: float = 1
) -> bytes:
    rows = [list(row) for row in segno.make(text, error="m").matrix]
    unit = size / len(rows)
    squares = [
        f"{left + across * unit:.3f} {low + size - (down + 1) * unit:.3f} {dot * unit:.3f} {dot * unit:.3f} re"
        for down, row in enumerate(rows)
        for across, is_dark in enumerate(row)
        if is_dark
    ]
    return (" ".join(squares) + " f\n").encode()


def _seen(paint: bytes, inside: bytes = b"") -> Make:
    return lambda lab: signed_with_picture(lab, lab.sealed, 0, _PAGE, _BOX, paint, inside)


def _says(change: object, **code: float) -> Make:
    """The code of our stamp, its text changed."""

    def make(lab: Lab) -> bytes:
        text = change(_address(lab))  # type: ignore[operator]
        return signed_with_picture(lab, lab.sealed, 0, _PAGE, _BOX, _code(text, **code))

    return make


def _below_others(lab: Lab) -> bytes:
    others = b"".join(
        _code(f"n{n}", left=3 + 9.5 * (n % 10), low=78 + 11 * (n // 10), size=7) for n in range(20)
    )
    paint = others + _code(_address(lab), size=70)
    return signed_with_picture(lab, lab.sealed, 0, _PAGE, (150, 250, 330, 430), paint)


def _of_unknown_colour(lab: Lab) -> bytes:
    paint = _UNKNOWN_COLOUR + _code(_address(lab))
    return signed_with_picture(lab, lab.sealed, 0, _PAGE, _BOX, paint)


CASES: dict[str, Attack] = {
    "code-in-small-letters": changed(_says(str.lower)),
    "code-with-more-behind-its-serial": changed(_says(lambda text: text.rsplit("/", 1)[0] + "?x")),
    "code-with-a-dash-in-its-serial": changed(_says(lambda text: f"{text[:32]}-{text[32:]}")),
    "code-in-escapes": changed(_says(lambda text: text.replace("/C/1", "/C/%31"))),
    "code-longer-than-ours": changed(_says(lambda text: text + "?" + "a" * 500)),
    "code-below-twenty-others": changed(_below_others),
    "code-of-dots": changed(_says(str, dot=0.6)),
    "code-of-a-colour-that-few-paint": Attack(
        _of_unknown_colour, "could_not_be_compared", frozenset({"compared"})
    ),
    **{
        f"picture-that-{name}": Attack(
            _seen(paint), "could_not_be_compared", frozenset({"compared"})
        )
        for name, paint in {
            "ends-the-state-of-its-page": b"0 0 1 rg 10 10 20 20 re f Q Q 1 g 0 0 600 800 re f",
            "ends-a-text-of-its-page": b"ET 0 0 1 rg 10 10 20 20 re f",
            "ends-marked-content-of-its-page": b"EMC 0 0 1 rg 10 10 20 20 re f",
            "leaves-a-state-open": b"q 0 0 1 rg 10 10 20 20 re f",
            "leaves-a-text-open": b"0 0 1 rg 10 10 20 20 re f BT",
        }.items()
    },
}
HONEST: dict[str, Attack] = {
    "genuine-signed-later-with-a-font-called-like-a-key": Attack(
        _seen(b"BT /F 20 Tf 5 40 Td (Budi) Tj ET", b"/Resources<</Font<</F %b>>>>" % _HELVETICA),
        "genuine_then_signed",
    ),
    "genuine-signed-later-with-another-code": Attack(
        _seen(_code("https://notaris.example/akta/2026/113")), "genuine_then_signed"
    ),
}
