"""Personal data of privacy: the data requests of a person."""

from meterai.plumbing.db.personal import Basis, KeepReason, Personal, PersonalTable

PERSONAL = Personal(
    ids={"request_id": "prv"},
    basis=Basis.LAW,
    recipients=("agency",),
    tables=(
        PersonalTable(
            table="privacy_requests",
            columns="request_id kind state asked_at due_at answered_at acts_at ended_at",
            inner="account_id look_at fates",
            kept=KeepReason.PROOF,
        ),
    ),
    nobodys={
        "breaches": (
            "Numbers of accounts whose data were exposed; each account was notified by mail."
        )
    },
)
