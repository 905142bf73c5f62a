"""Pages for checking documents, serials and QR codes."""

from markupsafe import Markup, escape

from meterai.kit.serial import Serial
from meterai.kit.text import FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE, isolated
from meterai.pages import LinkPlace, PageLink, RoomPages
from meterai.verification.model import outcome
from meterai.verification.pages import checking, many
from meterai.verification.pages.checking import FORM_BYTES_MAX

__all__ = ["FORM_BYTES_MAX", "PAGES", "routes"]


def grouped(serial: str) -> str:
    """Format a serial in groups of four characters."""
    return Serial(serial).grouped()


def bdi(text: str) -> Markup:
    """Convert a sentence to HTML in which each quotation is a `<bdi>` element, isolated from the text around it."""
    begun = escape(text).replace(FIRST_STRONG_ISOLATE, Markup("<bdi>"))
    return begun.replace(POP_DIRECTIONAL_ISOLATE, Markup("</bdi>"))


def breakable(name: str) -> Markup:
    """Convert a file name to HTML that allows a line break behind each underscore."""
    return escape(name).replace("_", Markup("_<wbr>"))


routes = [*checking.routes, *many.routes]
PAGES = RoomPages(
    "verification",
    "meterai.verification",
    links=(
        PageLink(LinkPlace.NAVIGATION, 40, "/check", "page.nav.check"),
        PageLink(LinkPlace.FOOT, 10, "/check", "page.foot.check"),
    ),
    listed={"/check": "page.check.about", "/check/many": "page.many.about"},
    filters={
        "grouped": grouped,
        "outcome": outcome,
        "bdi": bdi,
        "breakable": breakable,
        "isolated": isolated,
    },
    unlisted={"/[cC]/.*": "of one stamp"},
)
