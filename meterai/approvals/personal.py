"""Personal data of approvals."""

from meterai.plumbing.db.personal import Basis, Personal

PERSONAL = Personal(
    basis=Basis.LAW,
    nobodys={
        "approvals": "Acts of staff under the number of their account. What was asked for may name a person in words, "
        "which nothing finds, and leaves a year after it was decided."
    },
)
