"""Settings of approvals that production accepts with any value, each with the reason."""

UNDEMANDED = {
    "approval_rupiah_from": (
        "the operator sets the sum from which two people are needed; the minimum is one rupiah"
    ),
    "approval_rows_from": (
        "the operator sets the number of rows from which two people are "
        "needed; the minimum is one row"
    ),
    "approval_always": (
        "it adds staff actions to those that always need approval, and an unknown "
        "name is refused at the start"
    ),
    "approval_lives_seconds": "after its expiry a request can be made again",
}
