"""Drafts: files chosen for stamping before an order or a sign-in.

Promises of this room
  * Files survive a broken connection, a reload, a restart, a sign-in and a lapsed order, and no received
    byte is requested again.
  * A part is stored whole or not at all, and of two writers of one offset one wins.
  * A draft of an account opens to that account alone, one without an account to the browser that began it; it
    becomes an account's by a sign-in from a page of it, or by a button, and by nothing else.
  * Files without an order are forgotten a day after their last use, rows and bytes; their size is
    bounded for a draft, a network and all, by received bytes and not by announced ones.
  * Drafts cost nothing: a file that cannot be stamped is refused before payment.

Calls documents, sealing, stamping, stamps, waiting_room.
"""

from meterai.drafts.model import (
    FILE_KIND,
    Draft,
    DraftFile,
    DraftNotPlaced,
    FileNotReady,
    FileState,
    object_name,
    to_order,
    written,
)
from meterai.drafts.service import DraftService, known_content
from meterai.drafts.uploads import Uploads
from meterai.drafts.visitors import (
    ELSEWHERE,
    account_asking,
    adopt_by_mark,
    adopt_draft,
    done_here,
    draft_of,
    files_apart,
    open_draft,
    own_draft,
    own_files,
    sign_in_mark,
)

__all__ = [
    "ELSEWHERE",
    "FILE_KIND",
    "Draft",
    "DraftFile",
    "DraftNotPlaced",
    "DraftService",
    "FileNotReady",
    "FileState",
    "Uploads",
    "account_asking",
    "adopt_by_mark",
    "adopt_draft",
    "done_here",
    "draft_of",
    "files_apart",
    "known_content",
    "object_name",
    "open_draft",
    "own_draft",
    "own_files",
    "sign_in_mark",
    "to_order",
    "written",
]
