"""Exit statuses of all commands.

From 64 on, the numbers are those of sysexits.h. Scripts rely on the difference between `NO`, a valid negative
answer such as an audit with findings, and `FAULT`, a fault of the program.
"""

from enum import IntEnum

from meterai.kit.refusal import Malformed, Refusal


class Exit(IntEnum):
    """Exit status of a command."""

    DONE = 0  # done, or the answer is yes
    NO = 1  # the answer is no, a thing does not exist, or a rule forbids the act
    USAGE = 2  # a given word, number or file cannot be used
    UNJUDGED = 3  # the answer could not be determined
    EXTENDED = 4  # the answer is yes for the first part of the given file, but more bytes follow
    WAITS = 5  # nothing was done yet: a request waits for the decision of another person
    FAULT = 70  # a fault of our program
    UNWRITTEN = 74  # the output could not be written
    LATER = 75  # the same command may succeed later: the database is away, or another command runs
    CONFIGURATION = 78  # a repeat fails too, until somebody changes the configuration
    INTERRUPTED = 130  # ended by Ctrl-C, with the number that shells use


def exit_of(refusal: Refusal) -> Exit:
    """Return the exit status for the refusal of a command."""
    passes = refusal.status == 503 if refusal.passes is None else refusal.passes
    if passes:
        return Exit.LATER
    if isinstance(refusal, Malformed):
        return Exit.USAGE
    # In a command, 500 and 503 are not caused by input: the configuration is wrong.
    return Exit.CONFIGURATION if refusal.status in (500, 503) else Exit.NO
