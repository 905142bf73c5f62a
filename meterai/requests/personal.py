"""Personal data in the log of requests."""

from meterai.plumbing.db.personal import Basis, Personal, PersonalTable

PERSONAL = Personal(
    ids={"key_id": "key"},
    basis=Basis.INTEREST,
    tables=(
        PersonalTable(
            table="api_requests",
            columns="at request key_id method path status code milliseconds idempotency_key bytes_in bytes_out",
            inner="account_id entry_id route",
            deletes=True,
        ),
    ),
)
