"""Exit statuses of all commands.

From 64 on the numbers are those of sysexits.h. A status is a promise to scripts: `NO` is a valid negative answer,
never a crash; `FAULT` is a fault of ours and nothing else.
"""

from enum import IntEnum

from meterai.kit.refusal import Malformed, Refusal


class Exit(IntEnum):
    """Exit status of a command."""

    DONE = 0  # done; what was asked holds
    NO = 1  # it does not hold, is not there, or a rule forbids it
    USAGE = 2  # a word, a number or a file that was given cannot be used
    UNJUDGED = 3  # whether it holds could not be found out
    EXTENDED = 4  # it holds for the first part of what was given, and something follows
    WAITS = 5  # nothing was done: a request was left, and another person decides on it
    FAULT = 70  # a fault of ours
    UNWRITTEN = 74  # what was to be told could not be written
    LATER = 75  # the same command may succeed later: the database is away, another one runs
    CONFIGURATION = 78  # starting again changes nothing: somebody must change what is configured
    INTERRUPTED = 130  # by Ctrl-C, as shells say it


def exit_of(refusal: Refusal) -> Exit:
    """Return the status of a refused command."""
    passes = refusal.status == 503 if refusal.passes is None else refusal.passes
    if passes:
        return Exit.LATER
    if isinstance(refusal, Malformed):
        return Exit.USAGE
    # No client causes 500 and 503: the configuration is wrong.
    return Exit.CONFIGURATION if refusal.status in (500, 503) else Exit.NO
