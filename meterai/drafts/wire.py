"""Headers of a resumable upload, read strictly (draft-ietf-httpbis-resumable-upload-12; RFC 9530 for
digests, RFC 6266 for the name, RFC 9651 for structured fields).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import http_sf
from litestar.datastructures import Headers

from meterai.drafts.model import (
    PART_BYTES_MAX,
    PART_BYTES_MIN,
    PartDamagedOnTheWay,
    PartSizeWrong,
    PartTypeWrong,
    UploadLengthInconsistent,
)
from meterai.kit.refusal import Malformed
from meterai.plumbing.http.requests import LENGTH_DIGITS_MAX

COMPLETE, OFFSET, LENGTH = "upload-complete", "upload-offset", "upload-length"
LIMIT = "Upload-Limit"
PARTIAL = "application/partial-upload"
DISPOSITION, CONTENT_DIGEST, REPR_DIGEST = "content-disposition", "content-digest", "repr-digest"
# Headers that may occur only once: of two, a proxy might read one, and the application the other.
SINGLE = (COMPLETE, OFFSET, LENGTH, DISPOSITION)
# Older algorithms than these two prove nothing (RFC 9530, section 5).
_ALGORITHMS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_TYPE = re.compile(r"[A-Za-z0-9!#$&+\-.^_`|~]+")
_PARAMETER = re.compile(
    r'[ \t]*;[ \t]*([A-Za-z0-9!#$&+\-.^_`|~]+\*?)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s;"]+)'
)
_EXTENDED = re.compile(r"UTF-8'[A-Za-z0-9\-]*'(.*)", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")
_DIGITS = re.compile(rf"[0-9]{{1,{LENGTH_DIGITS_MAX}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Creation:
    """Headers of a request for a new upload.

    `size` is the length of the file, in bytes; `is_complete` says that the request contains the whole file.
    """

    name: str
    size: int
    is_complete: bool
    digest: bytes | None  # SHA-256 of the whole file


@dataclass(frozen=True, slots=True)
class Append:
    """Headers of a part: its offset in bytes, and whether it is the last part."""

    offset: int
    is_complete: bool
    size: int | None  # bytes of the whole file, if the request repeats them


def read_creation(headers: Headers) -> Creation:
    """Return the headers of a new upload.  Refuses `Malformed`, `UploadLengthInconsistent`."""
    is_complete = _yes_or_no("Upload-Complete", _given(headers, COMPLETE, "Upload-Complete"))
    length = headers.get(LENGTH)
    size = None if length is None else _whole_number("Upload-Length", length)
    # If the request has all bytes of the file, its length is that of the file.
    announced = headers.get("content-length", "")
    if is_complete and _DIGITS.fullmatch(announced):
        if size not in (None, int(announced)):
            raise UploadLengthInconsistent(f"{announced} bytes of {size}")
        size = int(announced)
    if size is None:
        raise Malformed("Upload-Length", "given")
    digests = _digests(headers, REPR_DIGEST)
    return Creation(file_name_in(headers), size, is_complete, digests.get("sha-256"))


def read_offset(headers: Headers) -> int:
    """Return the offset of a part, in bytes.  Refuses `Malformed`."""
    return _whole_number("Upload-Offset", _given(headers, OFFSET, "Upload-Offset"))


def read_append(headers: Headers) -> Append:
    """Return the headers of a part.  Refuses `PartTypeWrong`, `Malformed`."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != PARTIAL:
        raise PartTypeWrong(f"{kind!r} is not {PARTIAL}")
    length = headers.get(LENGTH)
    return Append(
        read_offset(headers),
        _yes_or_no("Upload-Complete", _given(headers, COMPLETE, "Upload-Complete")),
        None if length is None else _whole_number("Upload-Length", length),
    )


def check_part(created: Creation, content: bytes) -> None:
    """Check that the content of a request for a new upload can be the first part of the file.

    Refuses `PartSizeWrong`, `UploadLengthInconsistent`.
    """
    if len(content) > created.size or (created.is_complete and len(content) != created.size):
        raise UploadLengthInconsistent(f"{len(content)} of {created.size} bytes")
    if content and len(content) < min(PART_BYTES_MIN, created.size):
        raise PartSizeWrong(least_bytes=PART_BYTES_MIN, most_bytes=PART_BYTES_MAX)


def check_content(headers: Headers, content: bytes) -> None:
    """Check that the content has the digests stated in its `Content-Digest` header.

    Refuses `PartDamagedOnTheWay`, `Malformed`.
    """
    for name, value in _digests(headers, CONTENT_DIGEST).items():
        algorithm = _ALGORITHMS.get(name)
        if algorithm is not None and algorithm(content).digest() != value:
            raise PartDamagedOnTheWay(f"the {name} differs from the announced one")


def limits(file_bytes_max: int, left: timedelta | None = None) -> str:
    """Return the value of the header `Upload-Limit`, which states the limits of file and part sizes.

    `left` is the time for which an existing upload is still kept; it is stated too.
    """
    told: Mapping[str, int] = {
        "max-size": file_bytes_max,
        "max-append-size": PART_BYTES_MAX,
        "min-append-size": PART_BYTES_MIN,
    }
    if left is not None:
        told = {**told, "max-age": max(0, int(left.total_seconds()))}
    return ", ".join(f"{key}={value}" for key, value in told.items())


def file_name_in(headers: Headers) -> str:
    """Return the file name of `Content-Disposition`, empty if there is none.  Refuses `Malformed`."""
    text = headers.get(DISPOSITION)
    if text is None:
        return ""
    kind = _TYPE.match(text)
    at = kind.end() if kind else 0
    found: dict[str, str] = {}
    while kind and (one := _PARAMETER.match(text, at)):
        found[one[1].lower()] = one[2]
        at = one.end()
    if kind is None or text[at:].strip():
        raise Malformed("Content-Disposition", "field_file_name")
    if "filename*" in found:
        return _extended(found["filename*"])
    plain = found.get("filename", "")
    return _ESCAPED.sub(r"\1", plain[1:-1]) if plain.startswith('"') else plain


def _extended(text: str) -> str:
    told = _EXTENDED.fullmatch(text)
    try:
        if told is not None:
            return unquote_to_bytes(told[1]).decode()
    except UnicodeDecodeError:
        pass
    raise Malformed("Content-Disposition", "field_file_name")


def _given(headers: Headers, name: str, shown: str) -> str:
    found = headers.get(name)
    if found is None:
        raise Malformed(shown, "given")
    return found


def _digests(headers: Headers, name: str) -> dict[str, bytes]:
    lines = headers.getall(name, [])
    shown = "-".join(word.capitalize() for word in name.split("-"))
    if not lines:
        return {}
    members = _parsed(", ".join(lines), "dictionary")
    digests = {key: value for key, (value, _) in (members or {}).items()}
    if not digests or not all(isinstance(one, bytes) for one in digests.values()):
        raise Malformed(shown, "field_digest")
    return digests


def _whole_number(name: str, text: str) -> int:
    """Parse the value of the header `name`: an integer of at least zero.  Refuses `Malformed`."""
    value, _ = _parsed(text, "item") or (None, None)
    if type(value) is not int or value < 0:
        raise Malformed(name, "field_number")
    return value


def _yes_or_no(name: str, text: str) -> bool:
    """Parse the value of the header `name`: a Boolean.  Refuses `Malformed`."""
    value, _ = _parsed(text, "item") or (None, None)
    if not isinstance(value, bool):
        raise Malformed(name, "field_boolean")
    return value


def _parsed(text: str, shape: Literal["item", "dictionary"]) -> Any:
    """Parse a structured field (RFC 9651): values, each with its parameters; None if the field is malformed."""
    try:
        return http_sf.parse(text.encode(), tltype=shape)
    except http_sf.StructuredFieldError:
        return None
