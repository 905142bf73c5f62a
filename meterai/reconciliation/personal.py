"""Personal data in records of providers and banks."""

from meterai.plumbing.personal import Basis, Personal

_OF_A_RECORD = (
    "Numbers, sums and times of a provider's record. Whose a payment is, says the payment itself."
)
PERSONAL = Personal(
    basis=Basis.LAW,
    nobodys={
        "record_days": "Counts and times of whole days.",
        "record_lines": _OF_A_RECORD,
        "record_files": "Files of a provider or bank, which may name payers; their bytes leave after 400 days.",
    },
)
