"""A file name of any kind passes through the product: in by API or form, onto pages, out in a mail."""

import re
import uuid
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.inside import Inside
from tests.support.instance import Client, until
from tests.support.pdf import pdf

TOLD = "SPECIMEN: surat.pdf sudah bermeterai"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NASTY = {
    "line separator": "sura\u2028t.pdf".encode(),
    "paragraph separator": "sura\u2029t.pdf".encode(),
    "next line": "sura\u0085t.pdf".encode(),
    "right to left": "sura\u202et.pdf".encode(),
    "zero width": "sura\u200b\ufefft.pdf".encode(),
    "file separator": b"sura\x1ct.pdf",
}


def multipart(name: bytes, document: bytes, **fields: str) -> tuple[bytes, str]:
    """A multipart form as sent by a program that checks nothing."""
    parts = [
        f'--zz\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = b'--zz\r\nContent-Disposition: form-data; name="document"; filename="' + name + b'"\r\n'
    file = head + b"Content-Type: application/pdf\r\n\r\n" + document + b"\r\n--zz--\r\n"
    return b"".join(parts) + file, "multipart/form-data; boundary=zz"


def signed_in(inside: Inside, address: str) -> dict[str, str]:
    """The cookie of a browser that has signed in."""
    anybody = inside.instance.anybody()
    asked = anybody.post(
        "/sign-in", urlencode({"email": address, "next": "/"}).encode(), headers=FORM
    )
    challenge = parse_qs(urlsplit(asked.headers["location"]).query)["challenge"][0]
    [mail] = until("the code is there", lambda: inside.instance.mails_to(address))
    code = re.findall(r"\d{6}", mail["subject"])[0]
    typed = urlencode({"challenge": challenge, "code": code, "next": "/"}).encode()
    done = anybody.post("/sign-in/code", typed, headers=FORM)
    return {"Cookie": re.findall(r"session=[^;]+", done.headers["set-cookie"])[0]}


def send(anybody: Client, cookie: dict[str, str], path: str, fields: dict[str, str]) -> str:
    """Send a form, and return the address to which it leads."""
    sent = anybody.post(path, urlencode(fields).encode(), headers=cookie | FORM)
    assert sent.status == 303, sent.body
    return sent.headers["location"]


def hidden(page: str, name: str) -> str:
    return str(re.findall(rf'name="{name}" value="([^"]*)"', page)[0])


def test_name_sent_by_form_is_kept_everywhere(inside: Inside) -> None:
    address = f"{uuid.uuid4().hex[:8]}@example.org"
    cookie = signed_in(inside, address)
    anybody = inside.instance.anybody()
    body, kind = multipart(NASTY["line separator"], pdf(words="form"))
    chosen = anybody.post("/stamp/files", body, headers=cookie | {"Content-Type": kind})
    assert chosen.headers["location"] == "/stamp/place", chosen.body
    page = anybody.get("/stamp/place", headers=cookie).body.decode()
    fields = {
        name: hidden(page, name)
        for name in ("file", "version", "seen", "page-1", "x-1", "y-1", "width-1")
    }
    assert send(anybody, cookie, "/stamp/place", fields | {"do": "use"}) == "/stamp/pay"
    page = anybody.get("/stamp/pay", headers=cookie).body.decode()
    assert "surat.pdf" in page
    fields = {name: hidden(page, name) for name in ("form_token", "draft", "seen", "pay")}
    order = send(anybody, cookie, "/stamp/pay", fields)
    shown = anybody.get(order, headers=cookie | {"Accept": "text/html"}).body.decode()
    assert "surat.pdf" in shown

    def qr() -> object:
        paid = anybody.get(f"/v1{order}", headers=cookie).json["payment"]["qr_content"]
        return paid and inside.instance.bank.pay(paid)

    until("it is paid", qr)

    def told() -> str:
        mails = inside.instance.mails_to(address)
        return next((one["text"] for one in mails if one["subject"] == TOLD), "")

    text = until("the mail names it", told)
    assert re.search(r"^surat\.pdf \(([0-9A-Z]{4} ){5}[0-9A-Z]{2}\)\r?$", text, re.MULTILINE), text
