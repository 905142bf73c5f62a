"""Invariants of documents."""

from meterai.accounts import ERASED
from meterai.documents.model import NO_NAME
from meterai.plumbing.db.invariants import Invariant

# No name is erased within this time: the retention of names, less a day for clock differences.
NAMES_KEPT = "interval '729 days'"

INVARIANTS = (
    Invariant(
        "document_is_called_as_it_was",
        "Every document has the name under which it was uploaded, until the name is deleted at "
        "the end of its retention or its person is erased.",
        f"""
        SELECT account_id, sha256, name, received_at FROM {{documents*}} d
        WHERE name_seal IS NULL OR CASE WHEN name_salt IS NOT NULL
            THEN name_seal <> sha256(uuid_send(name_salt) || convert_to(name, 'UTF8'))
            ELSE name <> '{NO_NAME}'
                OR (received_at > now() - {NAMES_KEPT} AND NOT EXISTS ({ERASED.format(of="d")})) END
        """,
    ),
)
