"""Elements of a page, as a browser sees them."""

from collections.abc import Callable

import pytest

from meterai_rehearsal.clients.pages import NotOnPage, Page

HTML = b"""<!doctype html><title> Surat &amp; lain </title>
<a href="/stamp">x</a> <a class='button' href='/orders/ord_1?a=1&amp;b=2'>y</a>
<div id=act data-state="/orders/ord_1/state" data-version="&#34;abc&#34;">
<form method="post" action="/stamp" enctype="multipart/form-data">
  <input type="hidden" name="key" value="k&quot;1"><input name=empty>
  <input type="radio" name="place" value="left"><input type="radio" name="place" value="right" checked>
  <input type="checkbox" name="again" value="yes"><input type="file" name="document" title="a > b">
  <button>Send</button><input type="submit" name="go">
</form>
<form action="/language"><input name="next" value="/"></form>
<textarea id="qr-text" readonly>
 00020101&amp;6304 </textarea>
<p>429 <h1 data-refusal="503 database_away"></h1></p>
"""
PAGE = Page("/stamp", 200, {}, HTML)


def test_links_and_script_data_are_found() -> None:
    assert PAGE.title == "Surat & lain"
    assert PAGE.link(r"/orders/.*") == "/orders/ord_1?a=1&b=2"
    assert PAGE.has_link("/stamp")
    assert not PAGE.has_link("/stam")
    assert PAGE.data("state") == "/orders/ord_1/state"
    assert PAGE.data("version") == '"abc"'
    assert PAGE.text_of("qr-text") == "00020101&6304"
    assert PAGE.refusal == "database_away"


def test_form_has_defaults_of_the_page() -> None:
    form = PAGE.form("/stamp")
    assert form.fields == {"key": 'k"1', "empty": "", "place": "right"}
    kind, body = form.filled({"empty": "now"}, ("a.pdf", b"%PDF"))
    assert kind.startswith("multipart/form-data; boundary=")
    assert b'name="key"\r\n\r\nk"1\r\n' in body
    assert b'name="document"; filename="a.pdf"' in body
    assert PAGE.form("/language").filled({})[1] == b"next=%2F"
    assert PAGE.has_form("/language")


@pytest.mark.parametrize(
    "look",
    [
        lambda: PAGE.link("/buy"),
        lambda: PAGE.form("/buy"),
        lambda: PAGE.text_of("other"),
        lambda: PAGE.form("/stamp").filled({"strange": "1"}),
        lambda: PAGE.form("/language").filled({}, ("a.pdf", b"")),
    ],
)
def test_missing_element_is_reported(look: Callable[[], object]) -> None:
    with pytest.raises(NotOnPage):
        look()
