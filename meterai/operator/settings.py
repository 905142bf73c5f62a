"""Settings: the operator's identity."""

from typing import Annotated

import msgspec

# One line of printable characters: it is shown on pages, in mails and in security.txt.
OneLine = Annotated[
    str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*\Z", max_length=300)
]


class OperatorSettings(msgspec.Struct, frozen=True):
    """The operator's identity. The defaults are for use outside production, and say SPECIMEN."""

    operator_name: OneLine = "PT SPECIMEN"  # as in its deed of establishment
    operator_address: OneLine = "Jalan SPECIMEN 1, Jakarta"
    operator_mail: OneLine = "specimen@meterai.invalid"  # mail address for buyers
    operator_phone: OneLine = ""
    operator_hours: OneLine = ""  # hours in which somebody answers
    operator_tax_number: OneLine = "SPECIMEN"  # NPWP of 16 digits, or of the earlier 15
    operator_branch_number: OneLine = ""  # NITKU, 22 digits
    operator_terms: OneLine = ""  # https://..., or the path of a text file
    operator_privacy: OneLine = ""  # https://..., or the path of a text file
    operator_security: OneLine = "specimen@meterai.invalid"  # https://..., or a mail address
