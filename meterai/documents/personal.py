"""Personal data of documents."""

from meterai.documents.model import NO_NAME
from meterai.plumbing.db.personal import KeepReason, Personal, PersonalTable

PERSONAL = Personal(
    tables=(
        PersonalTable(
            table="documents",
            columns="sha256 name bytes pages received_at kept_until forgotten_at",
            inner="account_id name_seal",
            hidden="name_salt",
            # The next run of `forget_documents` forgets the original.
            blanks={
                "name": f"'{NO_NAME}'",
                "name_salt": "NULL",
                "kept_until": "least(kept_until, now())",
            },
            kept=KeepReason.STAMP,
        ),
    ),
)
