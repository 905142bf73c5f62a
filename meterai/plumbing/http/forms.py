"""Forms: the parts of a multipart or a URL-encoded body.

The framework's reader is not used: it writes every file to a temporary one, which costs half as much as sealing a
document; it decodes texts in whatever encoding a part names; and it keeps the last thousand bodies.
"""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.enums import RequestEncodingType
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)

from meterai.kit.refusal import Malformed
from meterai.kit.text import NUL, as_came, file_name
from meterai.plumbing.http.bodies import HELD_BYTES_MAX
from meterai.plumbing.threads import to_the_end

UNNAMED = "dokumen.pdf"  # name of a file whose own name has no character that can be shown
TEXTS_MAX = 8  # in a form whose files are read one after another
PARTS_MAX = 64  # in a form that states no other limit: ours have ten fields


@dataclass(frozen=True, slots=True)
class FormPart:
    """One part of a form. A file has a file name, cleaned by `kit.text.file_name`; other fields have None.

    A file field that was left empty has an empty file name. `came` is the file name exactly as sent, which
    distinguishes the file from others.
    """

    name: str
    file_name: str | None
    content: bytes
    came: str = ""

    @property
    def text(self) -> str:
        """The typed text. It is decoded as UTF-8 (RFC 7578, section 5.1); invalid bytes become replacement characters.

        NUL characters are removed: nobody types them, and the database rejects them.
        """
        return self.content.decode("utf-8", "replace").replace(NUL, "")


def _each_once(parts: list[FormPart], *, several_files: bool) -> list[FormPart]:
    """Return the parts unchanged. Refuses `Malformed` if a field occurs twice.

    Of a repeated field some parsers take the first value and others the last. A file field may occur several times if
    `several_files` is True.
    """
    seen: dict[str, bool] = {}
    for part in parts:
        is_file = part.file_name is not None
        if part.name in seen and not (several_files and is_file and seen[part.name]):
            raise Malformed(part.name, "once")
        seen[part.name] = is_file
    return parts


def _part(segment: MultipartSegment, content: bytes) -> FormPart:
    given = segment.filename
    name = None if given is None else given and (file_name(given) or UNNAMED)
    return FormPart(segment.name, name, content, _came(segment))


def _came(segment: MultipartSegment) -> str:
    """Return a file name exactly as sent, except that the parser reduces a full Windows path to its last part."""
    told = str(segment.header("Content-Disposition", ""))
    if segment.filename and "\\" in told:
        return told.rpartition("filename=")[2].strip('"')
    return segment.filename or ""


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form: its name as sent, its size in bytes, and its content."""

    name: str
    size: int
    content: IO[bytes]

    @property
    def shown(self) -> str:
        """The name of the file, safe to show."""
        return as_came(self.name)


async def _kept(file: IO[bytes], data: bytes) -> None:
    """Write to a spooled file: in a thread once the file is on disk, and directly while it is in memory, where a thread costs
    more than the write.
    """
    if file.tell() + len(data) <= HELD_BYTES_MAX:
        file.write(data)
    else:
        await to_the_end(partial(file.write, data))


async def each_file(
    request: Request[Any, Any, Any], folder: Path, *, files_max: int
) -> AsyncIterator[FormFile]:
    """Yield the files of a multipart form, one after another; text fields are skipped.

    A small file is in memory, a larger one in a file of `folder`, until the next one is requested. Refuses `Malformed`.
    """
    media_type, options = request.content_type
    if media_type != RequestEncodingType.MULTI_PART:
        raise Malformed("body", "multipart")
    boundary, parts_max = options.get("boundary", ""), files_max + TEXTS_MAX
    name = ""
    file: IO[bytes] | None = None
    try:
        with (
            ExitStack() as kept,
            PushMultipartParser(boundary, max_segment_count=parts_max) as parser,
        ):
            async for data in request.stream():
                for event in parser.parse(data) if data else ():
                    if isinstance(event, MultipartSegment):
                        name = _came(event)
                        file = kept.enter_context(
                            SpooledTemporaryFile(HELD_BYTES_MAX, dir=str(folder))
                        )
                    elif event is None:
                        # A text field has no file name; a file field that was left empty has an empty one.
                        if name and file is not None:
                            yield FormFile(name, file.tell(), file)
                        kept.close()
                    elif file is not None:
                        await _kept(file, event)
    except ParserLimitReached:
        raise Malformed("body", "fields", fields_max=parts_max) from None
    except (MultipartError, UnicodeError):
        raise Malformed("body", "multipart") from None


async def whole_file(
    request: Request[Any, Any, Any], folder: Path, name: str
) -> AsyncIterator[FormFile]:
    """Yield the whole body as one file of this name, unless it is empty; stored in memory or in `folder` as by `each_file`."""
    with SpooledTemporaryFile(HELD_BYTES_MAX, dir=str(folder)) as file:
        async for data in request.stream():
            if data:
                await _kept(file, data)
        if size := file.tell():
            yield FormFile(name, size, file)


async def read_multipart(
    request: Request[Any, Any, Any], *, parts_max: int = PARTS_MAX, several_files: bool = False
) -> list[FormPart]:
    """Return the parts of a multipart form (RFC 7578), each name once. Refuses `Malformed`."""
    media_type, options = request.content_type
    if media_type != RequestEncodingType.MULTI_PART:
        raise Malformed("body", "multipart")
    found: list[FormPart] = []
    chunks: list[bytes] = []
    try:
        with PushMultipartParser(
            options.get("boundary", ""), max_segment_count=parts_max
        ) as parser:
            async for data in request.stream():
                for event in parser.parse(data) if data else ():
                    if isinstance(event, MultipartSegment):
                        part = event
                    elif event is not None:
                        chunks.append(event)
                    else:
                        found.append(_part(part, b"".join(chunks)))
                        chunks.clear()
    except ParserLimitReached:
        if len(found) < parts_max:  # then another limit was exceeded: the length of a header
            raise Malformed("body", "multipart") from None
        raise Malformed("body", "fields", fields_max=parts_max) from None
    except (MultipartError, UnicodeError):
        raise Malformed("body", "multipart") from None
    return _each_once(found, several_files=several_files)


async def read_parts(
    request: Request[Any, Any, Any], *, parts_max: int = PARTS_MAX
) -> list[FormPart]:
    """Return the parts of a multipart or a URL-encoded form; an empty list if the body is no form. Refuses `Malformed`.

    A file field may occur several times.
    """
    media_type, _ = request.content_type
    if media_type == RequestEncodingType.MULTI_PART:
        return await read_multipart(request, parts_max=parts_max, several_files=True)
    if media_type != RequestEncodingType.URL_ENCODED:
        return []
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=parts_max
        )
    except ValueError:
        raise Malformed("body", "fields", fields_max=parts_max) from None
    found = [FormPart(name, None, value.encode("utf-8", "replace")) for name, value in pairs]
    return _each_once(found, several_files=False)
