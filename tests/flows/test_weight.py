"""The size of pages as transferred: the home page in total, and every text that is sent."""

import gzip
import re
import uuid
from collections.abc import Iterator, Mapping
from html import unescape
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import brotli
import pytest
import urllib3

from meterai.plumbing.http.compression import BYTES_MIN
from tests.support.instance import Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf

HOME_BYTES_MAX = 15 * 1024  # page, style, scripts and images, as transferred
BROWSER = {
    "Accept": "text/html,*/*",
    "Accept-Encoding": "br, gzip",
    "Accept-Language": "id",
    "Sec-Fetch-Site": "same-origin",
}
TEXTS = re.compile(r"text/|application/(problem\+)?json|image/svg\+xml")
FETCHED = re.compile(r"""<(?:link|script|img|image)\b[^>]*?\s(?:href|src)="([^"#]+)""")
LINKED = re.compile(r"""<a\b[^>]*?\shref="([^"#]+)""")
FOOT = ("PT SPECIMEN, ", "mailto:specimen@meterai.invalid", '"/terms"', '"/privacy"')
PAGES_MAX = 200  # pages that one crawl reads


class Line:
    """A client that keeps answers as transferred, compressed or not."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self._headers = BROWSER | dict(headers)
        self._pool = urllib3.PoolManager(retries=False, timeout=60)

    def get(self, path: str) -> urllib3.BaseHTTPResponse:
        return self._pool.request(
            "GET", self.url + path, headers=self._headers, redirect=False, decode_content=False
        )


def text_of(answer: urllib3.BaseHTTPResponse) -> str:
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
    made: bytes = unpack[answer.headers.get("Content-Encoding")](answer.data)
    return made.decode()


def addresses(pattern: re.Pattern[str], text: str, at: str) -> Iterator[str]:
    """The paths of ours that a page names."""
    for found in pattern.findall(text):
        there = urlsplit(urljoin(at, unescape(found)))
        if there.scheme in ("", "http") and not there.netloc:
            yield there.path + (f"?{there.query}" if there.query else "")


def test_home_page_is_small(instance: Instance) -> None:
    line = Line(instance.url, {"Sec-Fetch-Site": "none"})
    home = line.get("/")
    wanted = list(addresses(FETCHED, text_of(home), "/"))
    files = {path: len(line.get(path).data) for path in wanted}
    weights = {"/": len(home.data), **files}
    print("\n".join(f"{weight:6} {path}" for path, weight in weights.items()))
    assert home.headers["Content-Encoding"] == "br"
    assert len(files) >= 4
    assert sum(weights.values()) <= HOME_BYTES_MAX, weights


@pytest.fixture(scope="module")
def cookie(instance: Instance) -> str:
    """The session of a person with an order, stamps and a stamped document."""
    address = f"{uuid.uuid4().hex[:8]}@example.org"
    customer = instance.customer(address)
    instance.bank.pay(payable(customer, customer.place(2)))
    until("the stamps are there", lambda: customer.balance()["available"] == 2)
    assert customer.stamp(pdf()).status == 201
    anybody = instance.anybody()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = anybody.post("/sign-in", urlencode({"email": address}).encode(), headers=form)
    challenge = parse_qs(urlsplit(asked.headers["location"]).query)["challenge"][0]
    mails = until("the code comes", lambda: _codes(instance, address))
    code = urlencode({"challenge": challenge, "code": mails[0]}).encode()
    done = anybody.post("/sign-in/code", code, headers=form)
    assert done.status == 303, done.body
    return done.headers["set-cookie"].partition(";")[0]


def _codes(instance: Instance, address: str) -> list[str]:
    subjects = [one["subject"] for one in instance.mails_to(address)]
    return [found[0] for one in subjects if (found := re.search(r"\b\d{6}\b", one))]


@pytest.mark.parametrize("is_signed_in", [False, True], ids=["a stranger", "somebody"])
def test_every_text_over_a_kilobyte_is_compressed(
    instance: Instance, cookie: str, is_signed_in: bool
) -> None:
    line = Line(instance.url, {"Cookie": cookie} if is_signed_in else {})
    to_see, seen, texts = ["/", "/nowhere", "/openapi.json", "/healthz", "/stamp"], set[str](), 0
    while to_see and len(seen) < PAGES_MAX:
        path = to_see.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = line.get(path)
        kind = answer.headers.get("Content-Type", "")
        if not TEXTS.match(kind):
            continue
        text = text_of(answer)
        if len(text.encode()) > BYTES_MIN:
            texts += 1
            assert answer.headers.get("Content-Encoding") in ("br", "gzip"), path
            assert len(answer.data) < len(text.encode())
        if kind.startswith("text/html"):
            assert all(one in text for one in FOOT), f"{path} does not say who runs this"
            to_see += [*addresses(FETCHED, text, path), *addresses(LINKED, text, path)]
    assert texts >= 15, seen
