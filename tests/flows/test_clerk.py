"""Somebody who checks many documents, in a real browser: cuts, reloads, a table to keep."""

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect, sync_playwright

from meterai.plumbing.messages import translate
from tests.flows.test_browser import ARGUMENTS, CHROMIUM, PHONE
from tests.support.instance import Instance
from tests.support.pdf import pdf

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(chromium: Browser, instance: Instance, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(
        viewport=PHONE, locale="id-ID", java_script_enabled=request.param, base_url=instance.url
    )
    found = context.new_page()
    complaints: list[str] = []
    found.on("pageerror", lambda error: complaints.append(str(error)))
    yield found
    context.close()
    assert complaints == []


def papers(*names: str) -> list[FilePayload]:
    return [
        FilePayload(name=name, mimeType="application/pdf", buffer=pdf(words=name)) for name in names
    ]


def test_many_files_become_one_table(page: Page) -> None:
    page.goto("/check")
    page.get_by_role("link", name=re.compile("banyak berkas")).click()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("c.pdf", pdf())
        archive.writestr("d.txt", b"catatan")
    archived = FilePayload(name="x.zip", mimeType="application/zip", buffer=out.getvalue())
    page.locator("#document").set_input_files([*papers("a.pdf", "b.pdf"), archived])
    page.get_by_role("button", name="Periksa semua").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator("[role=status]").last).to_contain_text("4 berkas")
    assert sorted(page.locator("tbody th").all_text_contents()) == [
        "a.pdf",
        "b.pdf",
        "c.pdf",
        "d.txt",
    ]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("page", [True], indirect=True)
def test_a_cut_costs_one_file_and_a_reload_none(page: Page, tmp_path: Path) -> None:
    sent = 0

    def cut(route: Route) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/check/many/rows", cut)
    page.goto("/check/many")
    files = papers("a.pdf", "=b.pdf", "c.pdf")
    page.locator("#document").set_input_files(files)
    page.get_by_role("button", name="Periksa semua").click()
    expect(page.locator("tbody tr")).to_have_count(3, timeout=15_000)
    assert sent == 4, "one was sent again"
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(3)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Simpan sebagai tabel").click()
    coming.value.save_as(tmp_path / "table.csv")
    assert coming.value.suggested_filename == "hasil-pemeriksaan.csv"
    text = (tmp_path / "table.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    assert text[0] == "\ufeff"
    assert text.count("\r\n") == 4
    assert rows[0] == translate("page.many.csv_columns", "id").split("|")
    assert sorted(row[0] for row in rows[1:]) == ["'=b.pdf", "a.pdf", "c.pdf"]
    page.get_by_role("button", name="Hapus tabel ini").click()
    expect(page.locator("tbody tr")).to_have_count(0)


@pytest.mark.parametrize("page", [True], indirect=True)
def test_one_that_is_refused_stops_no_other(page: Page) -> None:
    refused = '{"code": "x", "detail": "<b>Tidak bisa</b>"}'
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=422, content_type="application/problem+json", body=refused)
        elif len(asked) == 2:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body=refused)
        else:
            route.continue_()

    page.route("**/check/many/rows", refuse)
    page.goto("/check/many")
    page.locator("#document").set_input_files(papers("a.pdf", "b.pdf"))
    page.get_by_role("button", name="Periksa semua").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody")).to_contain_text("<b>Tidak bisa</b>")
    expect(page.locator("tbody")).to_contain_text("Tidak ada meterai")
    assert len(asked) == 3
