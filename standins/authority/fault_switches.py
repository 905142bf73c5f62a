"""The authority's faults, set with POST /standin/faults; `n` counts occasions, -1 means all.

unavailable             n; any service answers 503
response_delay_seconds  number; every answer waits so long
garbage                 n; any service answers random bytes, as many as the true answer has
endless                 n; any service answers 32 MiB, more than a client may read
redirect                n; any service answers 302 to another path
wrong_nonce             n; the time-stamp answers another request
wrong_imprint           n; the time-stamp is over another digest (all zeros)
wrong_signature         n; the time-stamp is signed with another key
rejected                n; the time-stamp is refused by its status
ocsp_unavailable        n; only OCSP answers 503
delegated               bool; OCSP answers are signed by a responder, not by the authority itself
revoked                 bool; every requested certificate is revoked
stale                   bool; nextUpdate of OCSP answers and revocation lists was two days ago
"""

from standins.faults import FaultSwitch, Kind

FAULT_SWITCHES = {
    "unavailable": FaultSwitch(Kind.COUNT, "The next answers have status 503"),
    "response_delay_seconds": FaultSwitch(
        Kind.SECONDS, "Every answer is delayed by this many seconds"
    ),
    "garbage": FaultSwitch(Kind.COUNT, "The next answers are meaningless bytes"),
    "endless": FaultSwitch(Kind.COUNT, "The next answers are far too large"),
    "redirect": FaultSwitch(Kind.COUNT, "The next answers redirect the caller"),
    "wrong_nonce": FaultSwitch(Kind.COUNT, "The next time-stamps answer another request"),
    "wrong_imprint": FaultSwitch(Kind.COUNT, "The next time-stamps have the digest of other data"),
    "wrong_signature": FaultSwitch(Kind.COUNT, "The next time-stamps are signed with another key"),
    "rejected": FaultSwitch(Kind.COUNT, "The next time-stamps are refused"),
    "ocsp_unavailable": FaultSwitch(Kind.COUNT, "The next OCSP answers have status 503"),
    "delegated": FaultSwitch(Kind.BOOLEAN, "OCSP answers are signed by a delegated responder"),
    "revoked": FaultSwitch(Kind.BOOLEAN, "Every certificate is reported as revoked"),
    "stale": FaultSwitch(Kind.BOOLEAN, "OCSP answers and revocation lists expired two days ago"),
}
