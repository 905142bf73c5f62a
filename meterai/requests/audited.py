"""Columns of requests, as the audit knows them."""

from meterai.plumbing.db.audited import Audited

AUDITED = Audited(
    unchecked={
        "api_requests": dict.fromkeys(
            (
                *("account_id", "entry_id", "at", "request", "key_id", "method", "route", "path"),
                *("status", "code", "milliseconds", "idempotency_key", "bytes_in", "bytes_out"),
            ),
            "A log that may have gaps: nothing is done by it.",
        )
    }
)
