"""Search of the console: text, PDF and photo lead to their subjects, and the trail names the searcher."""

import hashlib
import io

import pytest
import segno

from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.plumbing.messages import translate
from tests.console.conftest import Floor
from tests.support.pdf import pdf

SERIAL = SerialMaker(UNLEASED).make().text


def test_search_for_an_address_redirects_to_the_timeline_of_its_account(floor: Floor) -> None:
    desk = floor.seat("support")
    found = floor.get("/console", q=f"  {desk.email} ")
    assert found.status_code == 303
    assert found.headers["location"] == f"/console/subjects/account/{desk.shown}"


def test_search_is_in_the_trail_without_its_text(floor: Floor) -> None:
    desk = floor.seat("support")
    floor.get("/console", q=desk.email)
    [(subject, actor, facts)] = floor.trail("console_searched")
    assert (subject, actor, facts["found"]) == ("text", f"staff:{desk.shown}", 1)
    assert desk.email not in str(facts)
    assert facts["digest"] != hashlib.sha256(desk.email.encode()).hexdigest()
    floor.get("/console", q=desk.email)
    assert floor.trail("console_searched")[1][2]["digest"] == facts["digest"]


def test_front_page_counts_work_and_writes_no_trail(floor: Floor) -> None:
    floor.seat("operations")
    assert '<a href="/console/work/desk_jobs">desk_jobs</a></dt><dd>100+</dd>' in floor.walk_in.get(
        "/console"
    )
    floor.seat("regulator")
    assert "<dd>100+</dd>" not in floor.walk_in.get("/console")  # a list of operations alone
    assert floor.trail("console_searched") == []


@pytest.mark.parametrize("letters", [201, 15_000])
def test_search_text_that_is_too_long_is_refused_before_any_lookup(
    floor: Floor, letters: int
) -> None:
    floor.seat("support")
    refused = floor.get("/console", q="x" * letters)
    assert refused.status_code == 422
    assert translate("refusal.search_too_long", "en", length_max=200) in refused.text
    assert floor.trail("console_searched") == []


def test_pdf_is_found_by_its_digest(floor: Floor) -> None:
    desk, content = floor.seat("support"), pdf(words="Surat")
    sha256 = hashlib.sha256(content)
    floor.rows(
        "SELECT document_keep(%s, %s, 'surat.pdf', 1000, 1, now() + interval '1 day')",
        desk.account,
        sha256.digest(),
    )
    found = floor.sends_file(desk, content)
    assert found.headers["location"] == f"/console/subjects/stamping/{sha256.hexdigest()}"
    assert floor.trail("console_searched")[0][0] == "pdf"


def test_photo_of_a_stamp_redirects_to_its_serial(floor: Floor) -> None:
    desk, photo = floor.seat("support"), io.BytesIO()
    url = floor.walk_in.container.settings.process.url
    segno.make_qr(f"{url}/C/{SERIAL}").save(photo, kind="png", scale=8, border=4)
    found = floor.sends_file(desk, photo.getvalue(), "foto.png")
    assert found.headers["location"] == f"/console/subjects/serial/{SERIAL}"


def test_file_in_a_form_of_another_session_is_not_read(floor: Floor) -> None:
    other, _ = floor.seat("support"), floor.seat("support")
    refused = floor.sends_file(other, pdf(words="Surat"))
    assert refused.status_code == 403
    assert floor.trail("console_searched") == []
