"""Photos from people: reading the QR codes on one, and drawing one anew for storage."""

from meterai.kit.refusal import Refusal
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered, Redrawn, Scanned
from meterai.sealing.sandbox.bounded import Task, Work

PHOTO_BYTES_MAX = 16 * 1024 * 1024  # photos of phones have 2 to 12 MB
LOGO_BYTES_MAX = 1024 * 1024
_WALL_SECONDS = 6  # a person waits
_REDRAWN_BYTES_MAX = 96 * 1024  # 60 KB, in base 64


class PhotoUnreadable(Refusal):
    """Not a photo in JPEG, PNG or WebP, or one that could not be read within its limits."""

    code = "photo_unreadable"
    status = 422


def redrawing(photo: bytes) -> Work[bytes]:
    """Work that draws a photo anew, in WebP of at most 60 KB, without the metadata of its file: places, names, programs.
    Refuses `PhotoUnreadable`.
    """
    return (yield from _drawn("redraw", photo))


def drawing_logo(picture: bytes) -> Work[bytes]:
    """Work that draws a logo anew on white, in WebP, from the pixels of a PNG or JPEG only.  Refuses
    `PhotoUnreadable`.
    """
    return (yield from _drawn("logo", picture))


def _drawn(task: str, picture: bytes) -> Work[bytes]:
    answer = yield Task(
        task, picture, answer_bytes_max=_REDRAWN_BYTES_MAX, wall_seconds=_WALL_SECONDS
    )
    try:
        found = answers.read(answer, Redrawn).webp
    except NotAnswered:
        raise PhotoUnreadable("no answer within the bounds") from None
    if not answers.is_webp(found):
        raise PhotoUnreadable("an answer that is no picture")
    return found


def scanning(photo: bytes) -> Work[list[str]]:
    """Work that reads the codes on a photo: their texts, untrusted.  Refuses `PhotoUnreadable`."""
    answer = yield Task("scan", photo, wall_seconds=_WALL_SECONDS)
    try:
        return answers.read(answer, Scanned).texts
    except NotAnswered:
        raise PhotoUnreadable("no answer within the bounds") from None
