"""Pages for checking a document by its bytes, and a stamp by its serial or its QR code.

No sign-in is needed.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.params import FromPath
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE

from meterai.accounts import Permission
from meterai.documents import UploadMissing
from meterai.kit.numbers import counted
from meterai.kit.priority import Priority
from meterai.kit.refusal import NotFound, Refusal
from meterai.kit.text import isolated, quoted
from meterai.pages import (
    FieldWrong,
    Page,
    PageRequest,
    Remembered,
    field_errors,
    page,
    read_form,
    see_other,
    sentence,
    visitor,
)
from meterai.plumbing.archives import is_archive, is_office
from meterai.plumbing.config import Settings
from meterai.plumbing.http.bodies import unless_gone
from meterai.plumbing.http.language import language_of
from meterai.plumbing.http.requests import LENGTH_DIGITS_MAX, network_of, saved_as
from meterai.sealing import (
    CHECKED_BYTES_MAX,
    PHOTO_BYTES_MAX,
    ClaimForged,
    ClaimKeyUnknown,
    ClaimMalformed,
    DocumentTooLarge,
)
from meterai.verification.model import (
    ArchiveGiven,
    OfficeGiven,
    PhotoGiven,
    PhotoMissing,
    serial_in,
)
from meterai.verification.service import ELSEWHERE, VerificationService
from meterai.verification.service.batch import FORM_FIELDS_BYTES
from meterai.verification.service.kinds import FileKind, kind_of
from meterai.verification.service.views import StampView
from meterai.waiting_room import Guarded, GuardedAct, WaitingRoom, WaitInLine

FORM_BYTES_MAX = CHECKED_BYTES_MAX + FORM_FIELDS_BYTES
PHOTO_FORM_BYTES_MAX = PHOTO_BYTES_MAX + FORM_FIELDS_BYTES
DOCUMENT, PHOTO = "document", "photo"  # fields of the forms
_BYTES_MAX = {DOCUMENT: CHECKED_BYTES_MAX, PHOTO: PHOTO_BYTES_MAX}
_MISSING = {DOCUMENT: UploadMissing, PHOTO: PhotoMissing}
# Browser permissions of the page that reads a QR code by camera.
_CAMERA = "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()"
CODE_LENGTH_MAX = 500  # characters; the code of a stamp has some two hundred
SERIAL_LENGTH_MAX = 80  # characters, with a space after every second one


@get(
    "/check",
    opt={
        "permission": Permission.PUBLIC,
        "priority": Priority.CHECKING,
        "remembered": Remembered(1.0),
        "guarded": Guarded(GuardedAct.CHECK),
    },
    include_in_schema=False,
)
async def show_check_form(
    request: PageRequest, verification: NamedDependency[VerificationService]
) -> Page:
    """Show the form for a document or a serial.  If the query has a typed serial or code, redirect to the page of that serial
    or code.
    """
    await visitor(request)
    typed = request.query_params.get("serial", "").strip()
    # Some apps show the text of a QR code instead of opening its address, and people paste that text.
    if code := verification.code_in(typed[:CODE_LENGTH_MAX]):
        return see_other(f"/c/{code}")
    serial = serial_in(typed[:SERIAL_LENGTH_MAX])
    # The text must remain one path segment; dots alone would lead to another page.
    there = serial.text if serial else typed[:SERIAL_LENGTH_MAX].replace("/", " ").strip(" .")
    if there:
        return see_other(f"/c/{quote(there, safe='')}")
    if "serial" not in request.query_params:
        return _form(request)
    return _form_again(request, FieldWrong("serial"), "serial")


def _form_again(request: PageRequest, refusal: Refusal, field: str) -> Page:
    """Return the form with the refusal in it; raises the refusal instead if the service is unavailable."""
    if refusal.status == HTTP_503_SERVICE_UNAVAILABLE:
        raise refusal  # the page for refusals states when to try again
    errors = field_errors(refusal, language_of(request), field)
    return _form(request, status=refusal.status, errors=errors)


def _form(request: PageRequest, /, **facts: Any) -> Page:
    """Return the form for a document, a code or a serial; only this page may use the camera."""
    shown = page(request, "verification/check.html", **facts)
    shown.headers["Permissions-Policy"] = _CAMERA
    return shown


def too_large(request: PageRequest, bytes_max: int) -> DocumentTooLarge:
    """Return the refusal for a form that was too large to be read; `bytes_max` is the largest permitted size of the form's
    file.
    """
    said = counted(request.headers.get("content-length", ""), LENGTH_DIGITS_MAX)
    size = bytes_max + FORM_FIELDS_BYTES if said is None else said
    return DocumentTooLarge(size_bytes=size, limit_bytes=bytes_max)


async def _file(request: PageRequest, field: str) -> tuple[str, bytes]:
    """Return name and content of the file in the form.

    `field` is the name of the field of the form.  Refuses `DocumentTooLarge`, and `UploadMissing` or `PhotoMissing`.
    """
    try:
        form = await read_form(request)
    except RequestEntityTooLarge:
        raise too_large(request, _BYTES_MAX[field]) from None
    if not form.files:
        raise _MISSING[field]("no file was chosen")
    return form.files[0]


def _check_kind(content: bytes) -> None:
    """Refuse a file that is clearly no PDF with `PhotoGiven`, `OfficeGiven` or `ArchiveGiven`."""
    kind = kind_of(content)
    if kind == FileKind.PHOTO:
        raise PhotoGiven("the file is a photo, not a document")
    if kind == FileKind.OFFICE or is_office(content):
        raise OfficeGiven("the file is an office document, not a PDF")
    if is_archive(content):
        raise ArchiveGiven("the file is a ZIP, not a document")


@dataclass(frozen=True, slots=True)
class _GivenFile:
    """Uploaded file of a form, and its sender."""

    name: str
    content: bytes
    client: str  # the network of the sender, for the fair queue


async def _answered(
    request: PageRequest,
    lines: WaitingRoom,
    settings: Settings,
    field: str,
    answer: Callable[[_GivenFile], Coroutine[Any, Any, Page]],
) -> Page:
    """Return the page that `answer` makes of the file in this field of a form; after a refusal, the form with the refusal.

    A visitor without a turn is redirected to the waiting room.  The file is not stored, and the work stops if the sender
    disconnects.
    """
    try:
        await lines.check_turn(request, None, GuardedAct.CHECK)
    except WaitInLine as refusal:
        return see_other(refusal.join_for("/check"))
    await visitor(request)
    try:
        name, content = await _file(request, field)
        given = _GivenFile(name, content, network_of(request, settings.process.proxies))
        return await unless_gone(request.receive, answer(given))
    except Refusal as refusal:
        return _form_again(request, refusal, field)


@post(
    "/check",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    include_in_schema=False,
    request_max_body_size=FORM_BYTES_MAX,
)
async def check(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Check a document, and show the result with pictures of its stamps."""

    async def checked(given: _GivenFile) -> Page:
        _check_kind(given.content)
        language, client = language_of(request), given.client
        found = await verification.check(given.content, language, client, isolated)
        drawn = await verification.pictures(given.content, found, client)
        return page(
            request,
            "verification/verdict.html",
            result=found,
            name=given.name,
            pictures=drawn.pages,
            not_drawn=drawn.why,
            sealed_name=sealed_name(given.name),
        )

    return await _answered(request, lines, settings, DOCUMENT, checked)


@post(
    "/check/sealed",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    include_in_schema=False,
    status_code=200,
    request_max_body_size=FORM_BYTES_MAX,
)
async def take_sealed(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Return the sealed revision of a document, for a browser without the script that extracts it (`static/check.js`)."""

    async def taken(given: _GivenFile) -> Page:
        _check_kind(given.content)
        sealed = await verification.sealed(given.content, given.client)
        return saved_as(sealed_name(given.name), sealed, "application/pdf")

    return await _answered(request, lines, settings, DOCUMENT, taken)


def sealed_name(name: str) -> str:
    """Return the file name for the sealed revision of a file with this name."""
    stem = name[:-4] if name.lower().endswith(".pdf") else name
    return f"{stem}-meterai.pdf"


@post(
    "/check/qr",
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    include_in_schema=False,
    request_max_body_size=PHOTO_FORM_BYTES_MAX,
)
async def scan(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    lines: NamedDependency[WaitingRoom],
    settings: NamedDependency[Settings],
) -> Page:
    """Read the QR code on a photo, and redirect to the page that shows the content of the code."""

    async def scanned(given: _GivenFile) -> Page:
        return see_other(f"/c/{await verification.scan(given.content, given.client)}")

    return await _answered(request, lines, settings, PHOTO, scanned)


# The address in a QR code is in capitals, which makes the code smaller, but people type it in small letters, so both
# paths are served.  A person who types an address may omit the claim.
@get(
    ["/c/{serial:str}", "/C/{serial:str}"],
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    include_in_schema=False,
)
async def show_serial(
    request: PageRequest, verification: NamedDependency[VerificationService], serial: FromPath[str]
) -> Page:
    """Show the page of a serial: state of its stamp, time of stamping, and hash of the document."""
    await visitor(request)
    typed = quoted(serial[:SERIAL_LENGTH_MAX])
    try:
        found: StampView | None = await verification.stamp(typed, language_of(request))
    except NotFound:
        found = None
    return page(
        request,
        "verification/serial.html",
        status=200 if found else 404,
        stamp=found,
        typed=typed,
        is_serial=serial_in(typed) is not None,
        is_elsewhere=_is_elsewhere(request),
    )


def _is_elsewhere(request: PageRequest) -> bool:
    """True if the query of the URL states that the scanned QR code led to an address that is not ours."""
    return f"?{request.url.query}" == ELSEWHERE


@get(
    ["/c/{serial:str}/{claim:str}", "/C/{serial:str}/{claim:str}"],
    opt={"permission": Permission.PUBLIC, "priority": Priority.CHECKING},
    include_in_schema=False,
)
async def show_claim(
    request: PageRequest,
    verification: NamedDependency[VerificationService],
    serial: FromPath[str],
    claim: FromPath[str],
) -> Page:
    """Show the content of a QR code, and whether its signature by the issuer is valid."""
    await visitor(request)
    language = language_of(request)
    try:
        found = await verification.claim(f"{serial}/{claim}", language)
    except (ClaimForged, ClaimKeyUnknown, ClaimMalformed) as refusal:
        return page(
            request,
            "verification/claim.html",
            status=refusal.status,
            claim=None,
            code=refusal.code,
            text=sentence(refusal, language),
            typed=quoted(serial[:SERIAL_LENGTH_MAX]),
            is_elsewhere=_is_elsewhere(request),
        )
    elsewhere = _is_elsewhere(request)
    return page(request, "verification/claim.html", claim=found, is_elsewhere=elsewhere)


routes = [show_check_form, check, take_sealed, scan, show_serial, show_claim]
