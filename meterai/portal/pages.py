"""Filters and links of the pages of the portal."""

import re
from functools import lru_cache

import segno
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from meterai.accounts import Permission
from meterai.pages import LinkPlace, PageLink, RoomPages, ShownTo
from meterai.stamping import why_refused

# QR drawings of some 8 KB each; a page that waits for a payment shows its QR repeatedly.
DRAWINGS_KEPT_MAX = 256
_DARK = re.compile(rb"\x01+")
_QR = (
    '<svg viewBox="0 0 {size} {size}"><path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/>'
    '<path stroke="#000" d="{lines}"/></svg>'
)
_QR_QUIET_ZONE = 4  # modules; the minimum of ISO/IEC 18004


@lru_cache(DRAWINGS_KEPT_MAX)
def qr_drawing(content: str) -> Markup:
    """Return a QR code as inline SVG."""
    # A fixed mask (one of eight): choosing the best mask takes four fifths of the time, and readers decode every
    # mask.
    rows = segno.make_qr(content, error="m", mask=0).matrix
    size = len(rows) + 2 * _QR_QUIET_ZONE
    lines = "".join(_line(number, row) for number, row in enumerate(rows, start=_QR_QUIET_ZONE))
    return Markup(_QR.format(size=size, lines=lines))  # noqa: S704 - numbers, nothing of the content


def _line(number: int, row: bytearray) -> str:
    """Return the dark modules of a row as SVG strokes: each run of modules, and its distance from the previous run."""
    strokes, at = [f"M{_QR_QUIET_ZONE} {number}.5"], 0
    for run in _DARK.finditer(row):
        strokes.append(f"m{run.start() - at} 0h{run.end() - run.start()}")
        at = run.end()
    return "".join(strokes)


@pass_context
def reason(context: Context, code: str) -> str:
    """Return the sentence for the stored code of the reason why a stamping failed."""
    language: str = context["language"]
    return why_refused(code, language)


def stamped_name(name: str) -> str:
    """Return the file name of a stamped document, which differs from that of the original."""
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    return f"{stem}-bermeterai.pdf"


PAGES = RoomPages(
    "portal",
    "meterai.portal",
    links=(
        PageLink(
            LinkPlace.NAVIGATION, 10, "/stamp", "page.nav.stamp", needs=Permission.STAMP_AFFIX
        ),
        PageLink(LinkPlace.NAVIGATION, 20, "/buy", "page.nav.buy", needs=Permission.ORDER_CREATE),
        PageLink(LinkPlace.NAVIGATION, 30, "/history", "page.nav.history"),
        PageLink(LinkPlace.NAVIGATION, 50, "/account", "page.nav.account", ShownTo.SIGNED_IN),
        PageLink(LinkPlace.FOOT, 5, "/help", "page.foot.help"),
        PageLink(LinkPlace.FOOT, 20, "/docs", "page.foot.docs"),
        PageLink(LinkPlace.REFUSED, 10, "/history", "page.to_history"),
        PageLink(LinkPlace.REFUSED, 20, "/", "page.to_front"),
    ),
    listed={
        "/": "page.front.about",
        "/help": "page.help.about",
        "/docs": "page.docs.about",
        "/docs/problems": "page.problems.about",
    },
    filters={"reason": reason, "stamped_name": stamped_name},
    unlisted={
        "/stamp/pay": "files that one person chose",
        "/claims": "of one buyer, by a link",
        "/docs/try": "of a sandbox",
    },
)
