"""Personal data in requests for approval."""

from meterai.plumbing.db.personal import Basis, Personal

PERSONAL = Personal(
    basis=Basis.LAW,
    nobodys={
        "approvals": "Acts of staff under the number of their account. The arguments may name a person in words that "
        "no search finds; they are blanked a year after the decision."
    },
)
