"""Printed report of a check: every sheet of a specimen says SPECIMEN."""

import io
import re
from collections.abc import Sequence

import pypdfium2
import pytest
from litestar import Litestar
from litestar.testing import RequestFactory
from playwright.sync_api import PdfMargins

from meterai.apps.rooms import pages_of
from meterai.apps.settings import settings_of as make_settings
from meterai.pages import Site, rendered
from meterai.pages.assets import assets_of
from meterai.plumbing.config import Settings
from meterai.plumbing.messages import translate
from meterai.verification import CheckView, MarkedPage
from tests.support.browser import CHROMIUM, launched
from tests.support.verdicts import verdict_view

STYLES = assets_of("meterai.pages", "meterai.verification")
CSS = "".join(STYLES[name].content.decode() for name in ("site.css", "verdict.css"))

MARGINS = PdfMargins(top="8mm", bottom="8mm", left="8mm", right="8mm")
SENTENCE = translate("check.seal.passed", "id")  # neither the longest nor the shortest

OPERATOR = {"operator_name": "PT Contoh", "operator_address": "Jalan Contoh 1"}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


def checked(settings: Settings, checks: int = 300, pictures: Sequence[MarkedPage] = ()) -> str:
    """Return the page of a checked document, with enough checks for several sheets."""
    app = Litestar([])
    app.state.services = {Settings: settings, Site: Site(*pages_of())}
    asked = RequestFactory(app=app).get("/check", headers={"Cookie": "language=id"})
    result = verdict_view(
        "genuine",
        summary=translate("verdict.genuine.explained", "id"),
        checks=[CheckView("seal", True, f"Pemeriksaan {n}: {SENTENCE}") for n in range(checks)],
        is_specimen=not settings.process.is_production,
    )
    page = rendered(
        asked,
        "verification/verdict.html",
        {
            "result": result,
            "name": "surat.pdf",
            "pictures": pictures,
            "not_drawn": None,
            "sealed_name": "",
        },
    )
    page = re.sub(r'<link rel="stylesheet"[^>]*>', "", page)
    return page.replace("</head>", f"<style>{CSS}</style></head>")


def printed(*pages: str) -> list[list[str]]:
    """Return the text of each sheet of each page."""
    with launched() as browser:
        found = []
        for page in pages:
            tab = browser.new_page(java_script_enabled=False)
            tab.set_content(page)
            opened = pypdfium2.PdfDocument(io.BytesIO(tab.pdf(format="A4", margin=MARGINS)))
            found.append([sheet.get_textpage().get_text_range() for sheet in opened])
            opened.close()
            tab.close()
    return found


def test_every_printed_sheet_says_specimen() -> None:
    development, production = printed(
        checked(make_settings()), checked(make_settings(environment="production", **OPERATOR))
    )
    assert len(development) > 2
    assert ["SPECIMEN" in sheet for sheet in development] == [True] * len(development)
    words = " ".join(development[0].split())
    assert translate("page.verdict.genuine_specimen", "id") in words
    assert translate("page.verdict.specimen", "id") in words
    assert translate("page.specimen", "id") in words
    assert not any("SPECIMEN" in sheet for sheet in production)
    assert "PT Contoh, Jalan Contoh 1" in production[-1], "who runs it stands below on paper too"
