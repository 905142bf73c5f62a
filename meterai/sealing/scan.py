"""Uploaded photos and logos: reading QR codes on photos, and drawing pictures anew for storage."""

from meterai.kit.refusal import Refusal
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered, Redrawn, Scanned
from meterai.sealing.sandbox.bounded import Task, Work

PHOTO_BYTES_MAX = 16 * 1024 * 1024  # photos of phones have 2 to 12 MB
LOGO_BYTES_MAX = 1024 * 1024
_WALL_SECONDS = 6  # a person waits for the answer
_REDRAWN_BYTES_MAX = 96 * 1024  # 60 KB, in base 64


class PhotoUnreadable(Refusal):
    """The file is not a photo in JPEG, PNG or WebP, or cannot be read within its limits."""

    code = "photo_unreadable"
    status = 422


def redrawing(photo: bytes) -> Work[bytes]:
    """Return a `Work` that draws a photo anew, in WebP of at most 60 KB, without metadata such as places and names.

    Refuses `PhotoUnreadable`.
    """
    return (yield from _drawn("redraw", photo))


def drawing_logo(picture: bytes) -> Work[bytes]:
    """Return a `Work` that draws a logo, a PNG or JPEG, anew from its pixels: in WebP, on white.

    Refuses `PhotoUnreadable`.
    """
    return (yield from _drawn("logo", picture))


def _drawn(task: str, picture: bytes) -> Work[bytes]:
    answer = yield Task(
        task, picture, answer_bytes_max=_REDRAWN_BYTES_MAX, wall_seconds=_WALL_SECONDS
    )
    try:
        found = answers.read(answer, Redrawn).webp
    except NotAnswered:
        raise PhotoUnreadable("no answer came within the bounds") from None
    if not answers.is_webp(found):
        raise PhotoUnreadable("the answer is no picture")
    return found


def scanning(photo: bytes) -> Work[list[str]]:
    """Return a `Work` that reads the untrusted texts of the QR codes on a photo.  Refuses `PhotoUnreadable`."""
    answer = yield Task("scan", photo, wall_seconds=_WALL_SECONDS)
    try:
        return answers.read(answer, Scanned).texts
    except NotAnswered:
        raise PhotoUnreadable("no answer came within the bounds") from None
