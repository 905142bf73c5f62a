"""Let third-party programs sign stamped files: our verdict on each file, and which programs open its sealed revision.

`python -m scripts.strangers --programs FOLDER [PDFS ...]` stamps every PDF of the corpus beside the repository (or of
the given folders), has pyHanko, PDFBox, iText, @signpdf, endesive and pdfsig sign it, and prints for each program how
many files it signed, how many of those are `genuine_then_extended`, and how many sealed revisions qpdf, Poppler, MuPDF
and PDFium open like the stamped file, and pdfsig calls whole. `--install` first downloads the programs into the folder
(Debian, npm, PyPI); a missing program is reported as missing.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pypdfium2
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from meterai.kit.clock import SystemClock
from meterai.kit.refusal import Refusal
from meterai.sealing import Placement, Verdict, development_issuer, ingest
from tests.support.attacks.lab import EMPTY_PAPER, Lab

CORPUS = Path(__file__).parents[1].parent / "shared" / "corpus"
SIGNERS = Path(__file__).parent / "signers"
SECONDS_MAX = 600  # for one program and all files
FILE_SECONDS_MAX = 60
_PASSWORD = "rahasia"  # noqa: S105 - of keys made for the occasion
_DEBIAN = (
    "libpdfbox2-java", "libfontbox2-java", "libcommons-logging-java", "libbcprov-java",
    "libbcpkix-java", "libbcutil-java", "libitext5-java",
)  # fmt: skip
_PYPDF = "pypdf<6"  # endesive 3.0.1 fails with later versions
_NPM = ("@signpdf/signpdf", "@signpdf/placeholder-plain", "@signpdf/signer-p12")

Sign = Callable[[Path, Path], None]  # signs every file of one folder into another folder


def install(programs: Path) -> None:
    """Download the programs."""
    debs = programs / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    _run(["apt-get", "download", *_DEBIAN], debs)
    for deb in debs.glob("*.deb"):
        _run(["dpkg", "-x", str(deb), str(programs / "jars")], programs)
    _run(["npm", "install", "--prefix", str(programs / "npm"), *_NPM], programs)
    _run([sys.executable, "-m", "venv", str(programs / "endesive-env")], programs)
    _run([str(programs / "endesive-env/bin/pip"), "install", "-q", "endesive", _PYPDF], programs)


def _run(command: list[str], where: Path, **more: str) -> str:
    done = subprocess.run(  # noqa: S603 - programs by name, no shell
        command, cwd=where, capture_output=True, timeout=SECONDS_MAX, check=False, env=more or None
    )
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return said if not done.returncode else said + f"\nstatus {done.returncode}"


class Strangers:
    """The programs, with one key for all of them."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs, self._directory = programs, directory
        at = SystemClock().now().replace(microsecond=0)
        self.lab = Lab(development_issuer(directory / "issuer", at=at), directory, at=at)
        self._signer = self.lab.signer_with(rsa.generate_private_key(65537, 2048))
        key = load_pem_private_key((directory / "notary.key").read_bytes(), None)
        certificate = load_pem_x509_certificate((directory / "notary.pem").read_bytes())
        assert isinstance(key, rsa.RSAPrivateKey)
        self._keys = directory / "notary.p12"
        hidden = BestAvailableEncryption(_PASSWORD.encode())
        made = pkcs12.serialize_key_and_certificates(b"notary", key, certificate, None, hidden)
        self._keys.write_bytes(made)

    def all(self) -> dict[str, Sign | None]:
        """Return each program by name; `None` for a missing program."""
        classes = self._compiled()
        node = self._programs / "npm"
        python = self._programs / "endesive-env/bin/python"
        return {
            "pyHanko, hidden": lambda source, target: self._pyhanko(source, target),
            "pyHanko, visible": lambda source, target: self._pyhanko(
                source, target, on_page=0, box=EMPTY_PAPER
            ),
            "PDFBox": self._command("java", "-cp", classes, "PdfBox") if classes else None,
            "iText": self._command("java", "-cp", classes, "IText") if classes else None,
            "@signpdf": self._command(
                "node", str(SIGNERS / "signpdf.js"), NODE_PATH=str(node / "node_modules")
            )
            if node.exists()
            else None,
            "endesive": self._command(str(python), str(SIGNERS / "by_endesive.py"))
            if python.exists()
            else None,
            "Poppler": self._poppler if shutil.which("certutil") else None,
        }

    def _pyhanko(self, source: Path, target: Path, **place: Any) -> None:
        for path in source.iterdir():
            with suppress(Exception):  # files that the program cannot sign stay unsigned
                made = self.lab.signed(path.read_bytes(), signer=self._signer, **place)
                (target / path.name).write_bytes(made)

    def _compiled(self) -> str:
        jars = sorted((self._programs / "jars/usr/share/java").glob("*.jar"))
        if not jars or shutil.which("javac") is None:
            return ""
        classes, path = self._directory / "classes", ":".join(map(str, jars))
        sources = [str(one) for one in SIGNERS.glob("*.java")]
        said = _run(["javac", "-cp", path, "-d", str(classes), *sources], self._directory)
        return f"{classes}:{path}" if classes.exists() else said[:0]

    def _command(self, *command: str, **more: str) -> Sign:
        def sign(source: Path, target: Path) -> None:
            given = [str(self._keys), _PASSWORD, str(source), str(target)]
            environment = {"PATH": "/usr/bin:/bin", **more}
            _run(
                [shutil.which(command[0]) or command[0], *command[1:], *given],
                source,
                **environment,
            )

        return sign

    def _poppler(self, source: Path, target: Path) -> None:
        store = self._directory / "nss"
        if not store.exists():
            store.mkdir()
            _run(["certutil", "-N", "-d", f"sql:{store}", "--empty-password"], source)
            _run(
                [
                    "pk12util",
                    "-i",
                    str(self._keys),
                    "-d",
                    f"sql:{store}",
                    "-W",
                    _PASSWORD,
                    "-K",
                    "",
                ],
                source,
            )
        for path in source.iterdir():
            _run(
                ["pdfsig", "-nssdir", str(store), "-nick", "notary", "-add-signature",
                 str(path), str(target / path.name)],
                source,
            )  # fmt: skip


def stamped(lab: Lab, folders: list[Path], target: Path) -> int:
    """Stamp every PDF of the folders. Return the number of refused ones."""
    refused = 0
    for path in sorted(one for folder in folders for one in folder.glob("*.pdf")):
        try:
            place = [Placement(1, 20, 20, 65)]
            document = ingest(path.read_bytes(), place).document
            (target / path.name).write_bytes(lab.seal(document, *place))
        except Refusal:
            refused += 1
    return refused


def _opens(command: list[str], statuses: tuple[int, ...] = (0,)) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - programs by name, no shell
            command, capture_output=True, timeout=FILE_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode in statuses


def _pdfium(path: Path) -> bool:
    try:
        document = pypdfium2.PdfDocument(io.BytesIO(path.read_bytes()))
        return bool(document[0].render(scale=0.2).width)
    except pypdfium2.PdfiumError:
        return False


def _pdfsig(path: Path) -> bool:
    said = _run(["pdfsig", "-nocert", str(path)], path.parent)
    ours = [one for one in said.split("Signature #") if "Field Name: Meterai_" in one]
    return any("Total document signed" in one and "is Valid" in one for one in ours[-1:])


READERS: dict[str, Callable[[Path], bool]] = {
    # Warnings (status 3) concern the file before sealing.
    "qpdf": lambda path: _opens(["qpdf", "--check", str(path)], (0, 3)),
    "Poppler": lambda path: _opens(
        ["pdftoppm", "-r", "20", "-l", "1", str(path), str(path) + "-p"]
    ),
    "MuPDF": lambda path: _opens(["mutool", "draw", "-r", "20", "-o", "/dev/null", str(path), "1"]),
    "PDFium": _pdfium,
    "pdfsig": _pdfsig,
}


def table(programs: Path, folders: list[Path]) -> Iterator[str]:
    """Yield a line for each program."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        strangers = Strangers(programs, directory)
        source, cut = directory / "stamped", directory / "cut"
        source.mkdir()
        cut.mkdir()
        refused = stamped(strangers.lab, folders, source)
        files = sorted(source.iterdir())
        yield f"{len(files)} stamped, {refused} refused"
        by_reader = Counter(name for name, reads in READERS.items() for one in files if reads(one))
        yield "stamped, opened by " + ", ".join(f"{name} {by_reader[name]}" for name in READERS)
        for name, sign in strangers.all().items():
            if sign is None:
                yield f"{name}: missing"
                continue
            target = directory / f"signed-{len(list(directory.iterdir()))}"
            target.mkdir()
            sign(source, target)
            yield f"{name}: {_judged(strangers.lab, source, target, cut)}"


def _judged(lab: Lab, source: Path, target: Path, cut: Path) -> str:
    said, opened, others = Counter[str](), Counter[str](), []
    for path in sorted(target.iterdir()):
        document, before = path.read_bytes(), (source / path.name).read_bytes()
        report = lab.verify(document)
        is_appended = document.startswith(before)
        said[report.verdict if is_appended else f"{report.verdict}, written anew"] += 1
        if report.verdict is not Verdict.GENUINE_THEN_EXTENDED:
            others.append(path.name)
            continue
        revision = cut / path.name
        revision.write_bytes(document[: report.sealed_bytes])
        opened.update(name for name, reads in READERS.items() if reads(revision))
    words = ", ".join(f"{count} {verdict}" for verdict, count in said.items())
    by = ", ".join(f"{name} {opened[name]}" for name in READERS)
    return f"{said.total()} signed: {words}; sealed revision opened by {by} {others[:5] or ''}"


def main() -> None:
    """Read the arguments and print the table."""
    asked = argparse.ArgumentParser(description="Strangers sign what we stamped.")
    asked.add_argument("--programs", type=Path, required=True)
    asked.add_argument("--install", action="store_true")
    asked.add_argument("folders", type=Path, nargs="*")
    given = asked.parse_args()
    programs = given.programs.absolute()
    if given.install:
        install(programs)
    folders = given.folders or [CORPUS / "plain", CORPUS / "odd", CORPUS / "signed"]
    for line in table(programs, folders):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
