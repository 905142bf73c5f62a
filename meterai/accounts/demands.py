"""Conditions that the settings of sign-in codes must meet in production."""

from collections.abc import Iterator, Mapping

from meterai.commands import LOAD, TIME, Demand, Facts
from meterai.plumbing.config import Configuration

# Guesses at the codes of one address in an hour.  A code has a million values, so guessing takes years at this rate.
GUESSES_PER_HOUR_MAX = 100


def _guesses(of: Configuration) -> Iterator[Facts]:
    guesses = of.value("code_tries_max") * of.value("codes_per_hour_max")
    if guesses > GUESSES_PER_HOUR_MAX:
        yield {"found": guesses, "guesses_max": GUESSES_PER_HOUR_MAX}


DEMANDS: tuple[Demand, ...] = (
    Demand("sign_in_guesses", ("code_tries_max", "codes_per_hour_max"), _guesses),
)
UNDEMANDED: Mapping[str, str] = {
    "code_lives_seconds": TIME,
    "codes_outstanding_max": LOAD,
    "codes_per_hour_per_network_max": LOAD,
    "organizations_need_approval": (
        "With or without approval, the owner of an organization decides who may stamp for it."
    ),
    "session_lives_seconds": TIME,
}
