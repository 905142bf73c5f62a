"""Personal data of the suspense book."""

from meterai.plumbing.db.personal import Basis, Personal

PERSONAL = Personal(
    basis=Basis.LAW,
    nobodys={
        "suspense_items": "Messages of the bank before their account is known. The text may name "
        "a payer, and is deleted half a year after the item was resolved; from "
        "then on the payment names the account."
    },
)
