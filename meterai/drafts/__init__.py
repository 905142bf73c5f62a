"""Drafts: files chosen for stamping before an order or a sign-in.

Promises this room keeps
  * Files survive a cut connection, a reload, a restart, signing in and a lapsed order, and no byte
    that is here is asked for again.
  * A part is stored whole or not at all, and of two writers of one offset one wins.
  * A draft of an account opens to that account alone, one of nobody to the browser that began it; it
    becomes an account's by signing in from a page of it, or by a button, and by nothing else.
  * What is not ordered is forgotten a day after it was used, rows and bytes; how much there may be is
    bounded, for a draft, a network and all, by what is here and not by what was announced.
  * Nothing costs anything: a file that cannot be stamped says so before anybody pays.

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
