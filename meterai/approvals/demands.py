"""Settings of approvals: production demands nothing of them, for the stated reasons."""

UNDEMANDED = {
    "approval_rupiah_from": "an operator says from which sum on two people are needed; the least is one rupiah",
    "approval_rows_from": "as approval_rupiah_from; the least is one row",
    "approval_always": "it adds levers to those that say so themselves, and a name that is none is refused",
    "approval_lives_seconds": "a request that expired is asked for again",
}
