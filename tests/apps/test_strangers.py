"""Random requests to any route cause no fault."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from urllib.parse import quote_from_bytes, unquote_to_bytes

import structlog
from hypothesis import settings
from litestar.routes import HTTPRoute

from meterai.accounts import AccountService, CodeService
from meterai.kit.ids import new_id, show
from tests.support.pdf import pdf
from tests.support.shop import TESTER
from tests.support.within import Asking, Within, settings_of, within

SEED = 2026
CASES = settings().max_examples * 120  # about ten seconds; five times as many cases with --all
# Headers of one route and one kind of caller, in addition to random ones.
Header = tuple[bytes, bytes]
PAPER = pdf()
NASTY = (
    b"",
    b"\xff",
    b"\xff\xfe",
    b"\x00",
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"\xc0\xaf",
    b"\xf0\x9f\x92\xa9",
    "\u2028\u0085\u202e".encode(),
    b"%",
    b"%ff%fe",
    b"%00",
    b"[::1",
    b"http://[::1",
    b"http://[::1]:99999999/",
    b"//x\\y",
    b"-1",
    b"9" * 400,
    b"1e400",
    b"NaN",
    b"None",
    b"{}",
    b"[" * 900,
    b"'\"`;--",
    b"\\u0000",
    b"\\ud800",
    b"=" * 300,
    b";" * 300,
    b",".join([b"a"] * 300),
    b"a" * 5_000,
    b"Thu, 99 Foo 2026",
)
HEADERS = (
    b"accept", b"accept-language", b"accept-encoding", b"authorization", b"connection",
    b"content-disposition", b"content-encoding", b"content-length", b"content-type", b"cookie",
    b"expect", b"forwarded", b"host", b"idempotency-key", b"if-modified-since", b"if-none-match",
    b"if-range", b"origin", b"prefer", b"range", b"referer", b"transfer-encoding", b"user-agent",
    b"x-external-id", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto",
    b"x-http-method-override", b"x-partner-id", b"x-signature", b"x-timestamp",
)  # fmt: skip
COOKIES = (b"session", b"__Host-session", b"language", b"asked", b"__Host-asked", b"\xff", b"")
FIELDS = (
    b"email", b"next", b"code", b"challenge", b"form_token", b"key", b"quantity", b"language",
    b"serial", b"document", b"placement", b"place", b"page", b"page_number", b"x", b"y", b"width",
    b"pay", b"name", b"order_id", b"\xff", b"",
)  # fmt: skip
# Valid values of fields, so that random input gets past one field to errors in the next.
GOOD = {
    b"email": b"somebody@example.org",
    b"next": b"/history",
    b"code": b"123456",
    b"challenge": show("chl", new_id()).encode(),
    b"quantity": b"1",
    b"language": b"en",
    b"serial": b"03TG7W4J2N0A5D8K1R9YQB",
    b"placement": b'{"page": 1, "x": 60, "y": 60, "width": 80}',
    b"place": b"exact",
    b"page": b"first",
    b"x": b"60",
    b"y": b"60",
    b"width": b"80",
    b"pay": b"balance",
    b"order_id": show("ord", new_id()).encode(),
    b"key": show("frm", new_id()).encode(),
}
KINDS = (
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=zz",
    b"multipart/form-data; boundary=zz; charset=bogus",
    b"multipart/form-data; boundary=zz; charset=utf-16",
    b'multipart/form-data; boundary="\xff"',
    b"multipart/form-data",
    b"application/pdf",
    b"application/x-msgpack",
    b"text/plain; charset=\xff",
)
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "QUERY")


class Chance:
    """Random requests; the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.choose = self._random.choice
        self.may = lambda share: self._random.random() < share

    def octets(self) -> bytes:
        """A value: a known bad value, a random one, or both."""
        roll = self._random.random()
        if roll < 0.7:
            return self.choose(NASTY)
        noise = self._random.randbytes(self._random.randint(1, 40))
        return noise if roll < 0.85 else self.choose(NASTY)[:200] + noise

    def header_value(self) -> bytes:
        """A header value that a server accepts: no end of line, no NUL."""
        return self.octets().translate(None, b"\r\n\x00")

    def pair(self, *more: bytes) -> tuple[bytes, bytes]:
        """A field and its value, which is valid half of the time."""
        name = self.choose((*FIELDS, *more))
        return name, GOOD[name] if name in GOOD and self.may(0.5) else self.octets()

    def pairs(self, most: int, *more: bytes) -> list[tuple[bytes, bytes]]:
        """Some fields; half of the time the valid ones and some invalid ones."""
        found = [self.pair(*more) for _ in self.several(most)]
        return [*(GOOD | dict(found[:2])).items()] if self.may(0.5) else found

    def several(self, most: int) -> range:
        return range(self._random.randint(0, most))

    # -- bodies -------------------------------------------------------------------------------

    def json(self) -> bytes:
        pairs = [self.pair() for _ in self.several(3)]
        inner = b",".join(b'"%s":%s' % (name, self._json_value(value)) for name, value in pairs)
        return self.choose((b"{%s}", b"[{%s}]", b"{%s", b"\xef\xbb\xbf{%s}")) % inner

    def _json_value(self, value: bytes) -> bytes:
        forms = (b'"%s"', b"%s", b"[%s]", b'{"a":"%s"}')
        return self.choose(forms) % value

    def urlencoded(self) -> bytes:
        pairs = self.pairs(8)
        if self.may(0.5):
            pairs = [
                (quote_from_bytes(name).encode(), quote_from_bytes(value).encode())
                for name, value in pairs
            ]
        return b"&".join(b"%s=%s" % pair for pair in pairs)

    def multipart(self) -> bytes:
        parts = [self._part() for _ in self.several(4)]
        return b"".join(parts) + self.choose((b"--zz--\r\n", b"", b"--zz"))

    def _part(self) -> bytes:
        file = b'; filename="%s"' % self.octets() if self.may(0.5) else b""
        name, value = self.pair()
        lines = [b'Content-Disposition: form-data; name="%s"%s' % (name, file)]
        kinds = (
            b"Content-Type: text/plain; charset=bogus",
            b"Content-Type: text/plain; charset=utf-16",
            b"Content-Type: text/plain; charset=idna",
            b"Content-Transfer-Encoding: base64",
            b"Content-Type: " + self.header_value(),
            self.header_value(),
        )
        if self.may(0.6):
            lines.append(self.choose(kinds))
        content = self.choose((value, b"%PDF-1.7\n" + value, PAPER)) if file else value
        return b"--zz\r\n" + b"\r\n".join([*lines, b"", content]) + b"\r\n"

    def body(self) -> tuple[bytes, bytes]:
        """(content type, body): mostly consistent."""
        makers: dict[bytes, Callable[[], bytes]] = {
            b"json": self.json,
            b"urlencoded": self.urlencoded,
            b"multipart": self.multipart,
        }
        kind = self.choose(KINDS)
        fitting = next((make for word, make in makers.items() if word in kind), self.octets)
        make = fitting if self.may(0.85) else self.choose((*makers.values(), self.octets))
        return kind, make()


class Caller:
    """A caller with or without an account: its headers, and the token of a form."""

    def __init__(self, headers: list[Header], form_token: bytes = b"") -> None:
        self.headers = headers
        self.form_token = form_token


async def callers(web: Within) -> list[Caller]:
    """An anonymous caller, a caller with a key, and a caller with a browser."""
    accounts = web.container.of(AccountService)
    account = await accounts.create("stranger@example.org", actor=TESTER)
    key = await accounts.create_api_key(account, "test", actor=TESTER)
    return [
        Caller([]),
        Caller([(b"authorization", f"Bearer {key}".encode())]),
        await signed_in(web),
    ]


async def signed_in(web: Within) -> Caller:
    """A browser with a session, opened by the forms that people use."""
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    asked = await web.post("/sign-in", b"email=browser@example.org", form)
    challenge = asked.header("location").partition("challenge=")[2].partition("&")[0]
    (row,) = await web.container.database.read("SELECT challenge_id FROM sign_in_challenges")
    code = web.container.of(CodeService).code(row["challenge_id"])
    done = await web.post("/sign-in/code", f"challenge={challenge}&code={code}".encode(), form)
    cookie = next(
        value.partition(";")[0] for name, value in done.headers
        if name == "set-cookie" and "session=" in value
    )  # fmt: skip
    shown = await web.get("/buy", {"Cookie": cookie, "Accept": "text/html"})
    token = shown.body.partition(b'name="form_token" value="')[2].partition(b'"')[0]
    assert token, shown.body
    return Caller([(b"cookie", cookie.encode()), (b"accept", b"text/html")], token)


def routes(web: Within) -> dict[tuple[str, ...], str]:
    """The parts of every path, with an empty part for a parameter, and its form in the API description."""
    found = {}
    for route in web.app.routes:
        assert isinstance(route, HTTPRoute)
        parts = route.path_components
        key = tuple(part if isinstance(part, str) else "" for part in parts)
        found[key] = route.path_format
    return dict(sorted(found.items()))


def target(chance: Chance, parts: tuple[str, ...]) -> bytes:
    """A path of this route, and a query."""
    identifiers = [show(kind, new_id()).encode() for kind in ("ord", "stg", "rfd", "chl", "key")]
    filled = []
    for part in parts:
        if part:
            filled.append(part.encode())
        elif chance.may(0.4):
            filled.append(chance.choose(identifiers))
        else:
            filled.append(quote_from_bytes(chance.octets(), safe="").encode())
    path = b"/" + b"/".join(filled)
    if chance.may(0.3):
        return path
    pairs = chance.pairs(4, b"cursor", b"limit")
    return path + b"?" + b"&".join(b"%s=%s" % pair for pair in pairs).translate(None, b"\r\n\x00 ")


def request(chance: Chance, parts: tuple[str, ...], caller: Caller) -> Asking:
    method = chance.choose(("GET", "POST", "POST")) if chance.may(0.9) else chance.choose(METHODS)
    kind, body = chance.body() if method == "POST" else (b"", b"")
    headers = list(caller.headers) if chance.may(0.9) else []
    if kind:
        headers.append((b"content-type", kind))
        headers.append((b"idempotency-key", str(new_id()).encode()))
    if caller.form_token and b"urlencoded" in kind and chance.may(0.8):
        body += b"&form_token=" + caller.form_token
    if caller.form_token and b"boundary=zz" in kind and chance.may(0.8):
        part = b'--zz\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n'
        body = part + caller.form_token + b"\r\n" + body
    for _ in chance.several(3):
        headers.append((chance.choose(HEADERS), chance.header_value()))
    cookies = [(name, chance.header_value()) for name in COOKIES if chance.may(0.3)]
    if chance.may(0.5):
        headers.append((b"cookie", b"; ".join(b"%s=%s" % pair for pair in cookies)))
    return Asking(method, target(chance, parts), headers, body)


@asynccontextmanager
async def listened(database_url: str, directory: Path) -> AsyncIterator[tuple[Within, list[str]]]:
    """The application, and the faults it logged."""
    faults: list[str] = []

    def keep(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        if event["event"] == "fault":
            faults.append(repr(event["fault"]))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    try:
        async with within(settings_of(database_url, directory)) as web:
            yield web, faults
    finally:
        structlog.configure(**before)


# Texts of parsers and frameworks, names of their classes, places in files.
OF_OTHERS = re.compile(
    rb"msgspec|litestar|multipart\.(?!form)|psycopg|pypdf|pyhanko|pikepdf|cryptography\."
    rb"|\b[A-Z]\w*(?:Error|Exception)\b|Traceback|site-packages|\.py\b|object at 0x"
    rb"|Expected `|`(?:int|str|float|object|array|bool)`|codec can|line \d+ column|char \d+\)"
    rb"|Extra data|Unterminated|delimiter|Invalid boundary|JSON is malformed|byte \d+",
    re.IGNORECASE,
)


def words_of_others(body: bytes, directory: Path) -> list[bytes]:
    """Parts of an answer that reveal internals."""
    found = [one[0] for one in OF_OTHERS.finditer(body)]
    places = (bytes(directory), bytes(Path.home()) + b"/")
    return [*found, *(place for place in places if place in body)]


def test_random_requests_cause_no_fault(database_url: str, tmp_path: Path) -> None:
    async def run() -> None:
        chance = Chance(SEED)
        async with listened(database_url, tmp_path) as (web, faults):
            people, templates = await callers(web), routes(web)
            paths = list(templates)
            described = web.app.state.description.made()["paths"]
            reached: set[tuple[tuple[str, ...], int]] = set()
            for number in range(CASES):
                parts = paths[number % len(paths)]
                asking = request(chance, parts, chance.choose(people))
                given = await web.ask(asking)
                reached.add((parts, given.status))
                assert given.status < 500, (number, asking, given, faults[-1:])
                assert given.header("content-type").lower().count("charset") <= 1, given
                foreign = words_of_others(given.body, tmp_path)
                assert not foreign, (number, foreign, asking, given)
                operation = described.get(templates[parts], {}).get(asking.method.lower())
                path = unquote_to_bytes(asking.target.partition(b"?")[0])
                # An empty parameter, or one with a slash, leads to another operation.
                is_this = all(path.split(b"/")[1:]) and path.count(b"/") == len(parts)
                if operation and is_this and templates[parts].startswith("/v1/"):
                    # The answer is one that the API description declares.
                    declared = {*operation["responses"], "431"}
                    assert str(given.status) in declared, (number, asking, given)
            assert not faults
            # Random requests reach handlers and all outcomes.
            assert {status for _, status in reached} >= {200, 303, 401, 403, 404, 405, 422}
            assert ((*("v1", "orders"),), 201) in reached or ((*("buy",),), 303) in reached

    asyncio.run(run())


CODE_PAGE = b"/sign-in/code?challenge=" + GOOD[b"challenge"]
KNOWN: list[tuple[str, bytes, list[Header], bytes]] = [
    ("POST", b"/sign-in", [(b"origin", b"http://[::1")], b""),
    ("POST", b"/check", [(b"origin", b"http://[::1")], b""),
    ("GET", CODE_PAGE, [(b"cookie", b"asked=\xff")], b""),
    ("GET", CODE_PAGE, [(b"cookie", b"asked=%ED%A0%80")], b""),
    ("GET", b"/c/x?\xff", [(b"accept", b"text/html")], b""),
    ("GET", b"/", [(b"cookie", b"session=\xff")], b""),
    ("GET", b"/v1/orders", [(b"cookie", b"session=" + b"\xff" * 84)], b""),
    ("GET", b"/v1/orders", [(b"authorization", b"Bearer mtr_" + b"0" * 52 + b"\xff" * 32)], b""),
    (
        "POST",
        b"/sign-in",
        [(b"content-type", b"multipart/form-data; boundary=zz")],
        b'--zz\r\nContent-Disposition: form-data; name="email"\r\n'
        b"Content-Type: text/plain; charset=bogus\r\n\r\nx\r\n--zz--\r\n",
    ),
    (
        "POST",
        b"/sign-in",
        [(b"content-type", b"multipart/form-data; boundary=zz")],
        b'--zz\r\nContent-Disposition: form-data; name="email"\r\n'
        b"Content-Type: text/plain; charset=utf-16\r\n\r\nx\r\n--zz--\r\n",
    ),
    (
        "POST",
        b"/sign-in",
        [(b"content-type", b"multipart/form-data; boundary=zz")],
        b'--zz\r\nContent-Disposition: form-data; name="email"\r\n\r\n\xff\xfe\r\n--zz--\r\n',
    ),
    ("POST", b"/sign-in", [(b"content-type", b"application/x-www-form-urlencoded")], b"email=\xff"),
    ("POST", b"/sign-in", [(b"content-type", b"multipart/form-data")], b"--zz--"),
]


def test_former_faults_are_refused(database_url: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with listened(database_url, tmp_path) as (web, faults):
            for method, path, headers, body in KNOWN:
                given = await web.ask(Asking(method, path, headers, body))
                assert given.status < 500, (method, path, headers, body)
            assert not faults

    asyncio.run(run())
