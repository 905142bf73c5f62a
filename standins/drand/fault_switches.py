"""The relay's faults, set with POST /standin/faults; `n` counts occasions, -1 means all.

unavailable             n; a round is answered with 503
response_delay_seconds  number; every answer with a round is delayed by so many seconds
lies                    n; a round is answered with the signature of another round
claims                  n; a round is answered with the number of another round
garbage                 n; a round is answered with random bytes
endless                 n; a round is answered with 32 MiB
redirect                n; a round is answered with 302 to another path
early                   bool; rounds are answered before their time
"""

from standins.faults import FaultSwitch, Kind

FAULT_SWITCHES = {
    "unavailable": FaultSwitch(Kind.COUNT, "The next rounds have status 503"),
    "response_delay_seconds": FaultSwitch(
        Kind.SECONDS, "Every round is delayed by this many seconds"
    ),
    "lies": FaultSwitch(Kind.COUNT, "The next rounds have the signature of another round"),
    "claims": FaultSwitch(Kind.COUNT, "The next rounds carry the number of another round"),
    "garbage": FaultSwitch(Kind.COUNT, "The next rounds are meaningless bytes"),
    "endless": FaultSwitch(Kind.COUNT, "The next rounds are far too large"),
    "redirect": FaultSwitch(Kind.COUNT, "The next rounds redirect the caller"),
    "early": FaultSwitch(Kind.BOOLEAN, "Rounds are published before their time"),
}
