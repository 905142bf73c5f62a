"""Guests: the maximum length of a name, and the refusal of a name that is in the book already."""

from meterai.kit.refusal import Refusal, refusal_of_constraint

NAME_LENGTH_MAX = 80  # characters of a name, so that it fits on one line of a phone


class GuestKnown(Refusal):
    """The name is in the book of this account."""

    code = "guest_known"


refusal_of_constraint("guest_is_entered_once", GuestKnown)
