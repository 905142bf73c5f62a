"""Drafts: files chosen for stamping before an order or a sign-in.

Promises of this room
  * Files survive a broken connection, a reload, a restart, a sign-in and an expired order, and no received
    byte is requested again.
  * A part is stored whole or not at all.  If two senders write at the same offset, only one of them succeeds.
  * A draft of an account can be opened only by that account, and a draft without an account only by the browser that
    began it.  A draft without an account is assigned to one only by a sign-in from a page of the draft, or by a button.
  * Files without an order are deleted, rows and bytes, a day after their last use.  Their received (not
    announced) bytes are limited per draft, per network and in total.
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
