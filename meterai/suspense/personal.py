"""Personal data of the suspense book."""

from meterai.plumbing.db.personal import Basis, Personal

PERSONAL = Personal(
    basis=Basis.LAW,
    nobodys={
        "suspense_items": "News of the bank before it is known whose it is. Its words may name a payer, and leave half a "
        "year after it was placed; once it is known, the payment says whose it was."
    },
)
