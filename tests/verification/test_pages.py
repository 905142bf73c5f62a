"""Pages of checks, without a database and other rooms."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from markupsafe import escape

from meterai.kit.refusal import Malformed
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.kit.text import isolated
from meterai.pages import Site, rendered
from meterai.pages.assets import assets_of
from meterai.plumbing.messages import LANGUAGES, format_size, translate
from meterai.plumbing.spreadsheets import SEPARATORS, csv_line
from meterai.stamps import StampState
from meterai.verification import (
    CheckView,
    ClaimVerdict,
    ClaimView,
    EarlierView,
    FinalVerdict,
    LaterSignatureView,
    MarkedPage,
    StampView,
    VerificationService,
    VerificationView,
)
from meterai.verification.model import GOOD
from meterai.verification.pages import FORM_BYTES_MAX, PAGES, routes
from meterai.verification.pages.checking import sealed_name
from meterai.verification.service.batch import CheckRow, NotChecked, with_early_end
from meterai.verification.service.pictures import NotDrawn
from meterai.verification.service.rows import CheckTableRow, cells_of
from meterai.verification.service.tables import columns
from tests.support.pages import application, asked_by_somebody, browser_of
from tests.support.verdicts import NOW, SERIAL, verdict_view

HOSTILE = "<script>alert('surat')</script>.pdf"


@pytest.fixture(scope="module")
def app() -> Litestar:
    return application(routes, Site(PAGES), VerificationService)


@pytest.fixture(scope="module")
def browser(app: Litestar) -> Iterator[TestClient[Litestar]]:
    yield from browser_of(app)


@pytest.fixture(params=LANGUAGES)
def asked(app: Litestar, request: pytest.FixtureRequest) -> Any:
    """A request of a signed-in visitor, in each language."""
    return asked_by_somebody(app, request.param)


@pytest.mark.parametrize("verdict", FinalVerdict)
def test_verdict_is_shown_as_word_beside_colour(asked: Any, verdict: FinalVerdict) -> None:
    checks = [CheckView("seal", True, "the good one"), CheckView("seal", False, "the bad one")]
    text = verdict_page(asked, verdict_view(verdict, checks=checks), HOSTILE)
    assert text.index("the bad one") < text.index("the good one"), "what is wrong comes first"
    language = asked.cookies["language"]
    for good, sign in ((FinalVerdict.GENUINE, "✓"), (FinalVerdict.GENUINE_THEN_EXTENDED, "↓")):
        said = f'<h1><span class="sign" aria-hidden="true">{sign}</span> {translate(f"page.verdict.{good}_specimen", language)}</h1>'
        assert (said in text) == (verdict == good)
    assert verdict in GOOD or escape(translate(f"verdict.{verdict}", language)) in text
    assert ('class="verdict good"' in text) == (verdict == FinalVerdict.GENUINE)
    assert ('class="verdict act"' in text) == (verdict == FinalVerdict.GENUINE_THEN_EXTENDED)
    assert HOSTILE not in text


def verdict_page(
    asked: Any,
    result: VerificationView,
    name: str = "surat.pdf",
    pictures: Sequence[MarkedPage] = (),
    not_drawn: NotDrawn | None = None,
) -> str:
    facts = {
        "result": result,
        "name": name,
        "pictures": list(pictures),
        "not_drawn": not_drawn,
        "sealed_name": sealed_name(name),
    }
    return rendered(asked, "verification/verdict.html", facts)


def test_extended_file_offers_its_sealed_revision(asked: Any) -> None:
    language = asked.cookies["language"]
    later = [LaterSignatureView(isolated("Budi <b>"), NOW)]
    before = SerialMaker(UNLEASED).make()
    earlier = [EarlierView(bytes=50_000, sealed_at=NOW, serials=[before.text])]
    result = verdict_view(FinalVerdict.GENUINE_THEN_EXTENDED, later=later, earlier=earlier)
    text = verdict_page(asked, result, "surat.PDF", [MarkedPage(1, 1, 1, b"RIFF")])
    assert not approvals(text), "it is no plain yes"
    [link] = re.findall(r"<a[^>]* data-sealed=[^>]*>", text)
    assert 'data-sealed="90000" download="surat-meterai.pdf" hidden' in link
    assert 'action="/check/sealed" enctype="multipart/form-data"' in text, "without scripts"
    assert "<bdi>Budi &lt;b&gt;</bdi>" in text
    folded = re.findall(r"<details>.*?</details>", text, re.DOTALL)
    [names] = [one for one in folded if "Budi" in one]
    assert escape(translate("page.verdict.later", language, count=1)) in names
    [version] = [one for one in folded if before.grouped() in one]
    assert NOW.isoformat() in version
    parts = {"sealed": format_size(90_000, language), "later": format_size(10_000, language)}
    assert translate("page.verdict.sealed_is", language, **parts) in text
    assert "5e" * 32 in text


@pytest.mark.parametrize("verdict", FinalVerdict)
def test_pictures_are_shown_for_good_verdicts_alone(asked: Any, verdict: FinalVerdict) -> None:
    text = verdict_page(asked, verdict_view(verdict), pictures=[MarkedPage(1, 1, 1, b"RIFF")])
    assert ("data:image/webp" in text) == (verdict in GOOD)


@pytest.mark.parametrize("state", StampState)
def test_serial_in_each_state_is_explained(asked: Any, state: StampState) -> None:
    stamp = stamp_view(state, asked.cookies["language"])
    text = rendered(
        asked, "verification/serial.html", {"stamp": stamp, "typed": SERIAL, **SERIAL_HERE}
    )
    assert "1QQJ XXBQ NX00 N0WZ XZP2 FV" in text
    language = asked.cookies["language"]
    for words in ("headline", "explained"):
        assert translate(f"stamp.{state}.{words}", language) in text
    assert not approvals(text)
    assert ('class="verdict bad"' in text) == (state == StampState.VOID)
    is_affixed = state == StampState.AFFIXED
    assert (escape(translate("page.claim.one_document", language)) in text) == is_affixed
    assert 'enctype="multipart/form-data"' in text, "the file itself can be checked from here"


def test_unknown_serial_has_bad_verdict_and_is_not_quoted(asked: Any) -> None:
    text = rendered(
        asked, "verification/serial.html", {"stamp": None, "typed": HOSTILE, **SERIAL_HERE}
    )
    assert 'class="verdict bad"' in text
    assert translate("page.serial.unknown", asked.cookies["language"]) in text
    assert HOSTILE not in text


SERIAL_HERE = {"is_serial": True, "is_elsewhere": False}


def approvals(text: str) -> list[str]:
    """Signs of approval in a page: the tick, or the colour of a good result."""
    styles = assets_of("meterai.pages", "meterai.verification")
    css = "".join(styles[name].content.decode() for name in ("site.css", "verdict.css"))
    coloured = re.findall(r"^([^{}\n]*)\{[^}\n]*var\(--good\b", css, re.MULTILINE)
    green = [set(re.findall(r"\.([\w-]+)", one)) for one in ",".join(coloured).split(",")]
    shown = [set(found.split()) for found in re.findall(r'class="([^"]*)"', text)]
    found = {".".join(sorted(one)) for one in green for classes in shown if one and one <= classes}
    return [*re.findall("✓", text), *sorted(found)]


def stamp_view(state: StampState, language: str) -> StampView:
    return StampView(
        serial=SERIAL,
        state=state,
        summary=translate(f"stamp.{state}.explained", language),
        affixed_at=NOW,
        sha256_original="00",
    )


def claim_view(verdict: ClaimVerdict, state: StampState | None, language: str) -> ClaimView:
    stamp = state and stamp_view(state, language)
    return ClaimView(
        verdict=verdict,
        summary=f"summary of {verdict}",
        serial=SERIAL,
        key_id="QDE8",
        sealed_at=NOW,
        sha256_original_begins="5f" * 16,
        stamp=stamp or None,
    )


@pytest.mark.parametrize("state", [*StampState, None])
@pytest.mark.parametrize("verdict", ClaimVerdict)
def test_claim_is_explained_with_next_step(
    asked: Any, verdict: ClaimVerdict, state: StampState | None
) -> None:
    language = asked.cookies["language"]
    text = rendered(
        asked,
        "verification/claim.html",
        {"claim": claim_view(verdict, state, language), "is_elsewhere": False},
    )
    assert escape(translate(f"claim.{verdict}", language)) in text
    holds = verdict == ClaimVerdict.HOLDS
    # A copied code is as valid as the code itself, so the page never approves it, whatever the register says.
    assert not approvals(text)
    assert ('class="verdict unsure"' in text) == holds
    assert (escape(translate("page.claim.one_document", language)) in text) == holds
    assert ('enctype="multipart/form-data"' in text) == holds
    for fact in ("5f" * 16, "QDE8", "1QQJ XXBQ NX00 N0WZ XZP2 FV"):
        assert fact in text
    assert "page.claim" not in text


def test_genuine_file_alone_is_approved(asked: Any) -> None:
    text = verdict_page(asked, verdict_view(FinalVerdict.GENUINE))
    assert approvals(text) == ["✓", "good.verdict"]


def test_typed_serial_leads_to_its_page(browser: TestClient[Litestar]) -> None:
    for typed in (
        SERIAL,
        "1QQJ\u2013XXBQ\u2013NX00\u2013N0WZ\u2013XZP2\u2013FV",
        "1QQJ.XXBQ.NX00.N0WZ.XZP2.FV",
        "1QQJ/XXBQ/NX00/N0WZ/XZP2/FV",
        "\uff11QQJXXBQNX00N0WZXZP2FV\u200b",
        "No. seri: 1qqj xxbq nxoo nowz xzp2 fv",
    ):
        answer = browser.get("/check", params={"serial": typed}, follow_redirects=False)
        assert answer.headers["location"] == f"/c/{SERIAL}", typed
    answer = browser.get("/check", params={"serial": " 1qqj xx/../ "}, follow_redirects=False)
    assert answer.headers["location"] == "/c/1qqj%20xx"
    for nothing in (".", "..", "/", " "):
        assert browser.get("/check", params={"serial": nothing}).status_code == 422


def test_malformed_serial_is_not_called_unissued(
    browser: TestClient[Litestar],
) -> None:
    for typed in (SERIAL[:-1], f"{SERIAL[:-1]}0", "1qqj xx"):
        answer = browser.get(f"/c/{quote(typed)}")
        assert answer.status_code == 404
        assert translate("page.serial.mistyped", "id") in answer.text
        assert translate("page.serial.unknown", "id") not in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_too_large_document_is_refused_with_limit(
    browser: TestClient[Litestar], language: str
) -> None:
    headers = {"Content-Length": str(FORM_BYTES_MAX + 1), "Accept-Language": language}
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = browser.post("/check", content=b"--x", headers=headers | kind)
    assert answer.status_code == 413
    assert (
        translate("refusal.document_too_large", language, size_bytes="33 MB", limit_bytes="32 MB")
        in answer.text
    )
    assert 'enctype="multipart/form-data"' in answer.text, "another can be chosen here"


def test_picture_of_file_is_embedded_in_page(asked: Any) -> None:
    shown = [MarkedPage(2, 3, 1, b"RIFF")]
    for pictures in (shown, []):
        text = verdict_page(asked, verdict_view(FinalVerdict.GENUINE), pictures=pictures)
        assert ('<img src="data:image/webp;base64,UklGRg=="' in text) == bool(pictures)
        assert translate("page.verdict.others", asked.cookies["language"], count=0) not in text


def row_of(asked: Any, line: CheckTableRow) -> str:
    """Row of a file in the table."""
    facts = {"line": line, "cells": "[]", "shared_cells": "[]"}
    return rendered(asked, "verification/many_row.html", facts)


@pytest.mark.parametrize("verdict", FinalVerdict)
def test_row_has_result_in_words(asked: Any, verdict: FinalVerdict) -> None:
    language = asked.cookies["language"]
    row = CheckRow("a.pdf", verdict_view(verdict, checks=[CheckView("seal", False, "the bad one")]))
    cells_said = cells_of(CheckTableRow(row), language)
    text = row_of(asked, CheckTableRow(row))
    assert translate(f"verdict.{verdict}", language) in text
    assert "the bad one" in text
    assert ("✓" in text) == (verdict == FinalVerdict.GENUINE)
    assert translate(f"verdict.{verdict}", language) in cells_said
    cells = dict(zip(columns(language), cells_said, strict=True))
    sealed = row.found and row.found.sealed
    assert (cells["verdict"], cells["serials"], cells["sha256"]) == (verdict, SERIAL, "a1" * 32)
    assert cells["sealed_bytes"] == (str(sealed.bytes) if sealed else "")
    assert cells["sealed_sha256"] == ("5e" * 32 if sealed else "")
    is_extended = verdict == FinalVerdict.GENUINE_THEN_EXTENDED
    assert cells["later_bytes"] == ("10000" if is_extended else "0" if sealed else "")


def test_typed_text_cannot_reverse_page_text(browser: TestClient[Litestar]) -> None:
    typed = "ABC\u202eDEF\u2066" + "\u05d0" * 20
    answer = browser.get(f"/c/{quote(typed)}")
    assert answer.status_code == 404
    assert '<bdi class="mono">ABCDEF\u05d0' in answer.text
    assert not {"\u202e", "\u2066"} & set(answer.text)


@pytest.mark.parametrize(
    "beginning", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_cell_is_never_a_formula(beginning: str, language: str) -> None:
    line = csv_line([f"{beginning}1+1", 'a"b', "c,d;e"], language)
    assert line.lstrip('"').startswith(f"'{beginning}")
    # Nor for a spreadsheet with the separator of another language.
    hidden = [f"a{one}{quote}{beginning}1+1" for one in ";," for quote in ("", '"', " ")]
    for hostile in (hidden, ["n", *hidden]):
        written = csv_line(hostile, language)
        for separator in SEPARATORS.values():
            for cell in next(csv.reader(io.StringIO(written, newline=""), delimiter=separator)):
                assert not cell.strip('" ').startswith(beginning), (separator, cell)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [(Malformed("body", "multipart"), NotChecked.DAMAGED), (ZeroDivisionError(), NotChecked.FAULT)],
)
def test_early_end_of_answer_is_its_last_row(
    asked: Any, broken: Exception, reason: NotChecked
) -> None:
    async def rest() -> AsyncIterator[CheckRow]:
        yield CheckRow("b.pdf", reason=NotChecked.BUSY)
        raise broken

    async def act() -> list[NotChecked | None]:
        first = CheckRow("a.pdf", reason=NotChecked.BUSY)
        return [row.reason async for row in with_early_end(first, rest(), lambda _: None)]

    assert asyncio.run(act()) == [NotChecked.BUSY, NotChecked.BUSY, reason]
