"""Guests: how long a name may be, and the refusal of one that is in the book; pure."""

from meterai.kit.refusal import Refusal, refusal_of_constraint

NAME_LENGTH_MAX = 80  # characters of a name; it stands on one line of a phone


class GuestKnown(Refusal):
    """The name is in the book of this account."""

    code = "guest_known"


refusal_of_constraint("guest_is_entered_once", GuestKnown)
