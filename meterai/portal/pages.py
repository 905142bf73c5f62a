"""What the pages of the portal use beside what all pages have, and the links they put on all."""

from functools import lru_cache

import segno
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from meterai.pages import Link, LinkPlace, RoomPages, ShownTo
from meterai.stamping import why_refused

DRAWINGS_KEPT_MAX = 256  # of some 8 KB; a page that waits for a payment shows its own again
_QR_QUIET_ZONE = 4  # modules; ISO/IEC 18004 asks for no less


@lru_cache(DRAWINGS_KEPT_MAX)
def qr_drawing(content: str) -> Markup:
    """A QR code as a drawing within the page."""
    # One mask of eight: choosing the best takes four fifths of the time, and readers undo any.
    code = segno.make_qr(content, error="m", mask=0)
    drawing = code.svg_inline(
        border=_QR_QUIET_ZONE, omitsize=True, svgclass=None, lineclass=None, light="#fff"
    )
    return Markup(drawing)  # noqa: S704 - segno writes numbers, nothing of the content


@pass_context
def reason(context: Context, code: str) -> str:
    """Why a stamping failed, as a sentence made from the code that was kept."""
    language: str = context["language"]
    return why_refused(code, language)


def stamped_name(name: str) -> str:
    """What the stamped file is called, so that it does not hide the original."""
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    return f"{stem}-bermeterai.pdf"


PAGES = RoomPages(
    "portal",
    "meterai.portal",
    links=(
        Link(LinkPlace.NAVIGATION, 10, "/stamp", "page.nav.stamp"),
        Link(LinkPlace.NAVIGATION, 20, "/buy", "page.nav.buy"),
        Link(LinkPlace.NAVIGATION, 30, "/history", "page.nav.history"),
        Link(LinkPlace.NAVIGATION, 50, "/account", "page.nav.account", ShownTo.SIGNED_IN),
        Link(LinkPlace.FOOT, 5, "/help", "page.foot.help"),
        Link(LinkPlace.FOOT, 20, "/docs", "page.foot.docs"),
        Link(LinkPlace.REFUSED, 10, "/history", "page.to_history"),
        Link(LinkPlace.REFUSED, 20, "/", "page.to_front"),
    ),
    filters={"reason": reason, "stamped_name": stamped_name},
)
