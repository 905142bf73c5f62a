"""The few files of the pages that never change: style, scripts, drawings.

They are read once, served from memory without what only people read, and named with a part of their
hash, so that a browser keeps them for good and a new version is a new address.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

_KINDS = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
}
_FOR_PEOPLE = (".css", ".js")  # have what only people read
_IMPORT = re.compile(rb'@import "([a-z]+\.css)";\n')
_STYLE_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
# Texts, which are kept; comments; and what needs no spaces around it (a stroke before one divides).
_SCRIPT = re.compile(
    rb"""("(?:[^"\\\n]|\\.)*"|`[^`]*`)|[ ]*//[^\n]*|[ ]?([=<>!?:&|*,;(){}\[\]+-]+|/(?=[ ]))[ ]?"""
)
_LINE_END = re.compile(
    rb"(?:(?<=[;{},(?])|(?<==>)|(?<=&&))\n|\n(?=[.?)])"
)  # where a statement goes on or has ended either way; one that ends with a bracket has a semicolon
# Declarations one after another, none of which has a bracket with statements in it, are one statement.
_DECLARED = re.compile(rb"(?<![^;{}\n])(const|let)[ \[][^;{}\n]*(?:;\1[ \[][^;{}\n]*)+;")
# A semicolon or a comma before a bracket, and brackets around one parameter or around nothing that
# something new is made of: none means anything.
_NEEDLESS = re.compile(
    rb"""("(?:[^"\\\n]|\\.)*"|`[^`]*`)|[;,](?=\})|(?<=\bnew )(\w+)\(\)(?=[;,)}])|(?<![\w$.\])])\((\w+)\)(?==>)"""
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and the hash that names its version."""

    content: bytes
    media_type: str
    version: str

    def is_named_by(self, query: bytes) -> bool:
        """True for the query of `address`, and for no other: that address alone never changes."""
        return query == f"v={self.version}".encode()


def _as_sent(content: bytes, kind: str) -> bytes:
    """A file without what only people read: comments and spaces, a fifth of a script.  Ours have no
    text of several lines, in which they would mean something (tests/pages/test_floor.py).
    """
    if kind == "text/css":
        content = _STYLE_COMMENT.sub(b"", content)
    else:
        content = _SCRIPT.sub(rb"\1\2", content)
    lines = (line.strip() for line in content.splitlines())
    sent = b"".join(line + b"\n" for line in lines if line)
    if kind == "text/css":
        return sent
    sent = _NEEDLESS.sub(rb"\1\2\3", _LINE_END.sub(b"", sent))
    return _DECLARED.sub(lambda found: re.sub(b";%b ?" % found[1], b",", found[0]), sent)


def _with_imports(folder: Traversable, content: bytes) -> bytes:
    """A file; what a style sheet imports from beside it stands in its place, so that a browser asks
    once.
    """
    return _IMPORT.sub(lambda found: (folder / found[1].decode()).read_bytes(), content)


def assets_of(*packages: str) -> Mapping[str, Asset]:
    """Every file of the `static/` of these packages by its name."""
    found: dict[str, Asset] = {}
    for package in packages:
        folder = resources.files(package) / "static"
        for file in folder.iterdir() if folder.is_dir() else ():
            kind = _KINDS.get(file.name[file.name.rfind(".") :])
            if kind is not None:
                assert file.name not in found, f"two rooms have {file.name}"
                content = file.read_bytes()
                if file.name.endswith(_FOR_PEOPLE):
                    content = _as_sent(_with_imports(folder, content), kind)
                version = hashlib.sha256(content).hexdigest()[:10]
                found[file.name] = Asset(content, kind, version)
    return MappingProxyType(found)


def address(assets: Mapping[str, Asset], name: str) -> str:
    """The address of a file, with its version."""
    return f"/static/{name}?v={assets[name].version}"
