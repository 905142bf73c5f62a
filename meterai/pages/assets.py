"""Static files of the pages: styles, scripts, images.

The files are read once and served from memory, without comments and spaces.  The URL of a file contains a part of its
hash, so that a browser may cache it permanently, and a new version has a new URL.
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
_FOR_PEOPLE = (".css", ".js")  # kinds of files whose comments and spaces are removed
_IMPORT = re.compile(rb'@import "([a-z]+\.css)";\n')
_STYLE_COMMENT = re.compile(rb"/\*.*?\*/", re.DOTALL)
# Matches string literals, which are kept; comments; and operators, around which spaces are removed (a slash before a
# space is a division).
_SCRIPT = re.compile(
    rb"""("(?:[^"\\\n]|\\.)*"|`[^`]*`)|[ ]*//[^\n]*|[ ]?([=<>!?:&|*,;(){}\[\]+-]+|/(?=[ ]))[ ]?"""
)
_LINE_END = re.compile(
    rb"(?:(?<=[;{},(?])|(?<==>)|(?<=&&))\n|\n(?=[.?)])"
)  # line ends that can be removed: after or before a character that continues or ends the statement
# Matches consecutive declarations without a block, which become one statement.
_DECLARED = re.compile(rb"(?<![^;{}\n])(const|let)[ \[][^;{}\n]*(?:;\1[ \[][^;{}\n]*)+;")
# Matches characters without meaning: a semicolon or comma before a closing bracket, brackets around a single
# parameter, empty brackets after `new`.
_NEEDLESS = re.compile(
    rb"""("(?:[^"\\\n]|\\.)*"|`[^`]*`)|[;,](?=\})|(?<=\bnew )(\w+)\(\)(?=[;,)}])|(?<![\w$.\])])\((\w+)\)(?==>)"""
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file as it is sent, and its version: a part of its hash."""

    content: bytes
    media_type: str
    version: str

    def is_named_by(self, query: bytes) -> bool:
        """True if a URL's query names exactly this version, so that the answer may be cached permanently."""
        return query == f"v={self.version}".encode()


def _as_sent(content: bytes, kind: str) -> bytes:
    """Return a style sheet or script without comments and spaces, which makes a script a fifth smaller.

    Our files have no multi-line strings, in which spaces would matter (tests/pages/test_floor.py checks it).
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
    """Return a style sheet in which each `@import` of a file in its folder is replaced by that file's content.

    This saves a request for each import.
    """
    return _IMPORT.sub(lambda found: (folder / found[1].decode()).read_bytes(), content)


def assets_of(*packages: str) -> Mapping[str, Asset]:
    """Return all files in the folders `static/` of these packages, by their names."""
    found: dict[str, Asset] = {}
    for package in packages:
        folder = resources.files(package) / "static"
        for file in folder.iterdir() if folder.is_dir() else ():
            kind = _KINDS.get(file.name[file.name.rfind(".") :])
            if kind is not None:
                assert file.name not in found, f"two rooms have the file {file.name}"
                content = file.read_bytes()
                if file.name.endswith(_FOR_PEOPLE):
                    content = _as_sent(_with_imports(folder, content), kind)
                version = hashlib.sha256(content).hexdigest()[:10]
                found[file.name] = Asset(content, kind, version)
    return MappingProxyType(found)


def address(assets: Mapping[str, Asset], name: str) -> str:
    """Return the URL path of a file, with its version."""
    return f"/static/{name}?v={assets[name].version}"
