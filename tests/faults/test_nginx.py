"""nginx in front of the web, with the configuration that we ship.

Every visitor gets a page, and no request that may have started is sent twice.
"""

import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from meterai.plumbing.messages import translate
from meterai.verification.pages.many import MANY_FORM_BYTES_MAX
from tests.support.commands import run_here
from tests.support.inside import Inside
from tests.support.instance import free_ports, until
from tests.support.killing import away

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx" / "meterai.conf"
MIME_TYPES = Path("/etc/nginx/mime.types")
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
TIME_OUT = "10s"  # instead of the 40 s of the configuration

pytestmark = [
    pytest.mark.skipif(
        PROGRAM is None or not MIME_TYPES.is_file(),
        reason="nginx is not on this machine; scripts/servers installs it",
    ),
]


def certificate(folder: Path) -> Path:
    """Write `cert.pem` and `key.pem` for 127.0.0.1, and return the path of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return folder / "cert.pem"


def configuration(folder: Path, data: Path, web_port: int, port: int, plain_port: int) -> str:
    """The shipped configuration with the ports, folders and certificates of this test."""
    text = CONFIGURATION.read_text()
    for written, here in (
        ("server 127.0.0.1:8000 ", f"server 127.0.0.1:{web_port} "),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen [::]:443 ssl;", ""),
        ("/etc/meterai/tls/fullchain.pem", str(folder / "cert.pem")),
        ("/etc/meterai/tls/key.pem", str(folder / "key.pem")),
        ("/var/lib/meterai/public", str(data / "public")),
        ("/var/lib/meterai/pages", str(folder / "pages")),
        ("proxy_read_timeout 60s", f"proxy_read_timeout {TIME_OUT}"),
    ):
        assert written in text, f"{written} is not in the configuration any more"
        text = text.replace(written, here)
    temporary = "\n".join(
        f"{what}_temp_path {folder}/{what};"
        for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "meterai.conf").write_text(text)
    return f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    include {MIME_TYPES};
    access_log off;
    {temporary}
    include {folder}/meterai.conf;
}}
"""


@dataclass
class Front:
    """A running nginx."""

    url: str
    plain_url: str
    folder: Path
    http: urllib3.PoolManager

    def ask(
        self, method: str, path: str, body: bytes | None = None, /, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        told = {"accept": "text/html", "accept-language": "id"} | headers
        named = {name.replace("_", "-"): value for name, value in told.items()}
        return self.http.request(
            method, self.url + path, body=body, headers=named, redirect=False, retries=False
        )


@contextmanager
def fronting(folder: Path, data: Path, web_port: int) -> Iterator[Front]:
    """nginx in front of a web process on this port."""
    folder.mkdir(parents=True)
    ca = certificate(folder)
    written = run_here(data, "pages", "--out", str(folder / "pages"))
    assert written.returncode == 0, written.stderr
    port, plain_port = free_ports(2)
    main = folder / "nginx.conf"
    main.write_text(configuration(folder, data, web_port, port, plain_port))
    assert PROGRAM is not None
    running = subprocess.Popen(
        [PROGRAM, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(main)]
    )
    front = Front(
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1:{plain_port}",
        folder,
        urllib3.PoolManager(ca_certs=str(ca)),
    )

    def answers() -> bool:
        assert running.poll() is None, (folder / "error.log").read_text()
        try:
            front.http.request("GET", front.plain_url, redirect=False, retries=False)
        except urllib3.exceptions.HTTPError:
            return False
        return True

    try:
        until("nginx answers", answers)
        yield front
    finally:
        front.http.clear()
        running.terminate()
        running.wait(20)


class Silent(socketserver.ThreadingTCPServer):
    """A server that reads requests and ends the connection without an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Hearing)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Hearing(socketserver.StreamRequestHandler):
    """One connection of the silent server."""

    def handle(self) -> None:
        assert isinstance(self.server, Silent)
        lines = list(iter(self.rfile.readline, b"\r\n"))
        told = dict(line.lower().split(b": ", 1) for line in lines[1:])
        body = self.rfile.read(int(told.get(b"content-length", b"0")))
        self.server.heard.append(b"".join(lines) + b"\r\n" + body)


@pytest.fixture
def silent() -> Iterator[Silent]:
    with Silent() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def front(fragile: Inside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx in front of the instance of this folder."""
    instance = fragile.instance
    folder = tmp_path_factory.mktemp("nginx") / "front"
    with fronting(folder, instance.data, urlsplit(instance.url).port or 0) as found:
        yield found


# -- while the web answers ---------------------------------------------------------------------


def test_page_passes_nginx_and_plain_http_is_redirected(front: Front) -> None:
    shown = front.ask("GET", "/")
    assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"meterai" in shown.data
    assert (
        front.http.request("GET", f"{front.plain_url}/x?y=1", redirect=False)
        .headers["location"]
        .endswith("/x?y=1")
    )


def test_static_file_is_served_from_the_folder_if_its_version_exists(front: Front) -> None:
    [kept] = front.folder.glob("pages/static/*/site.css")
    version = kept.parent.name
    kept.write_bytes(mark := b"/* from the folder */")
    of_version = front.ask("GET", f"/static/site.css?v={version}")
    assert (of_version.data, of_version.headers["content-type"]) == (mark, "text/css")
    assert "immutable" in of_version.headers["cache-control"]
    for other in ("", "?v=0123456789", "?v=../../../etc", f"?v={version}/.."):
        from_web = front.ask("GET", f"/static/site.css{other}")
        assert from_web.status == 200, other
        assert from_web.data != mark, other


# -- while no server answers -------------------------------------------------------------------


@pytest.mark.parametrize(("language", "asked"), [("id", {}), ("en", {"accept_language": "en-GB"})])
def test_failed_get_is_answered_with_a_page_and_failed_post_is_not_repeated(
    silent: Silent, tmp_path: Path, language: str, asked: dict[str, str]
) -> None:
    with fronting(tmp_path / "front", tmp_path, silent.port) as front:
        looked = front.ask("GET", "/orders", None, **asked)
        assert looked.status == 503
        assert f'<html lang="{language}">' in looked.data.decode()
        assert looked.headers["content-type"] == "text/html; charset=utf-8"
        assert int(looked.headers["refresh"]) == int(looked.headers["retry-after"]) == 5
        assert "no-store" in looked.headers["cache-control"]
        silent.heard.clear()
        sent = front.ask("POST", "/orders", b"quantity=1", cookie=f"language={language}")
        assert len(silent.heard) == 1, "it may have been done: nginx does not repeat it"
        assert sent.status == 503
        assert f'<html lang="{language}">' in sent.data.decode()
        assert "refresh" not in sent.headers
        assert "retry-after" in sent.headers
        assert sent.data != looked.data


@pytest.mark.parametrize(("language", "asked"), [("id", {}), ("en", {"accept_language": "en"})])
def test_largest_form_passes_and_a_larger_one_gets_a_page(
    silent: Silent, tmp_path: Path, language: str, asked: dict[str, str]
) -> None:
    with fronting(tmp_path / "front", tmp_path, silent.port) as front:
        front.ask("POST", "/check/many", bytes(MANY_FORM_BYTES_MAX), **asked)
        assert len(silent.heard[-1].partition(b"\r\n\r\n")[2]) == MANY_FORM_BYTES_MAX
        silent.heard.clear()
        # The rest of the body never comes.
        size = str(MANY_FORM_BYTES_MAX + 1024 * 1024)
        large = front.ask("POST", "/check/many", b"--x", content_length=size, **asked)
        assert (large.status, silent.heard) == (413, [])
        assert f'<html lang="{language}">' in large.data.decode()
        assert translate("page.refused.too_large", language) in large.data.decode()
        assert "retry-after" not in large.headers


def test_address_seen_by_nginx_is_the_last_forwarded_one(silent: Silent, tmp_path: Path) -> None:
    with fronting(tmp_path / "front", tmp_path, silent.port) as front:
        front.ask("GET", "/", x_forwarded_for="203.0.113.9")
        assert b"x-forwarded-for: 203.0.113.9, 127.0.0.1\r\n" in silent.heard[-1].lower()


def test_visitors_get_a_page_while_the_web_is_away(front: Front, fragile: Inside) -> None:
    with away(fragile, "web"):
        shown = until_away(front)
        assert shown.headers["refresh"] == "5"
        assert front.ask("POST", "/v1/orders", b"{}").status == 503
    until("the web is back", lambda: front.ask("GET", "/").status == 200)


def until_away(front: Front) -> urllib3.BaseHTTPResponse:
    """Wait until the kernel has closed the killed process, and return the page."""
    until("nobody answers", lambda: front.ask("GET", "/").status == 503)
    return front.ask("GET", "/")
