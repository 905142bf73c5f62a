"""The relay's faults, set with POST /standin/faults; `n` counts occasions, -1 means all.

unavailable             n; a round is answered with 503
response_delay_seconds  number; every round comes so much later
lies                    n; a round has the signature of another
claims                  n; a round is told to be another one
garbage                 n; a round is answered with bytes that mean nothing
endless                 n; a round is answered with 32 MiB
redirect                n; a round is answered with 302 to another path
early                   bool; rounds are told before their time
"""

from standins.faults import FaultSwitch, Kind

FAULT_SWITCHES = {
    "unavailable": FaultSwitch(Kind.COUNT, "Next rounds are 503"),
    "response_delay_seconds": FaultSwitch(Kind.SECONDS, "Every round comes so much later"),
    "lies": FaultSwitch(Kind.COUNT, "Next rounds have another signature"),
    "claims": FaultSwitch(Kind.COUNT, "Next rounds say they are another one"),
    "garbage": FaultSwitch(Kind.COUNT, "Next rounds mean nothing"),
    "endless": FaultSwitch(Kind.COUNT, "Next rounds are far too large"),
    "redirect": FaultSwitch(Kind.COUNT, "Next rounds send the caller elsewhere"),
    "early": FaultSwitch(Kind.BOOLEAN, "Rounds are told before their time"),
}
