"""What the QR codes on a photo say: for who holds paper and has no reader of codes."""

from meterai.kit.refusal import Refusal
from meterai.sealing.sandbox import answers
from meterai.sealing.sandbox.answers import NotAnswered, Scanned
from meterai.sealing.sandbox.bounded import Task, Work

PHOTO_BYTES_MAX = 16 * 1024 * 1024  # photos of phones have 2 to 12 MB
_WALL_SECONDS = 6  # somebody waits


class PhotoUnreadable(Refusal):
    """Not a photo in JPEG, PNG or WebP, or one that could not be read within its bounds."""

    code = "photo_unreadable"
    status = 422


def scanning(photo: bytes) -> Work[list[str]]:
    """The work of reading the codes on a photo: their texts, untrusted.  Refuses `PhotoUnreadable`."""
    answer = yield Task("scan", photo, wall_seconds=_WALL_SECONDS)
    try:
        return answers.read(answer, Scanned).texts
    except NotAnswered:
        raise PhotoUnreadable("no answer within the bounds") from None
