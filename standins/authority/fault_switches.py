"""The authority's faults, set with POST /standin/faults; `n` counts occasions, -1 means all.

unavailable             n; any service answers 503
response_delay_seconds  number; every answer waits so long
garbage                 n; any service answers bytes that mean nothing
endless                 n; any service answers far more than anybody wants
redirect                n; any service sends the caller elsewhere
wrong_nonce             n; the time-stamp answers another request
wrong_imprint           n; the time-stamp is over something else
wrong_signature         n; the time-stamp is signed with another key
rejected                n; the time-stamp is refused by its status
ocsp_unavailable        n; only OCSP answers 503
delegated               bool; OCSP answers are signed by a responder, not by the authority itself
revoked                 bool; every certificate that is asked for was revoked
stale                   bool; OCSP answers and lists ended yesterday
"""

from standins.faults import Kind, Knob

KNOBS = {
    "unavailable": Knob(Kind.COUNT, "Next answers are 503"),
    "response_delay_seconds": Knob(Kind.SECONDS, "Every answer comes so much later"),
    "garbage": Knob(Kind.COUNT, "Next answers mean nothing"),
    "endless": Knob(Kind.COUNT, "Next answers are far too large"),
    "redirect": Knob(Kind.COUNT, "Next answers send the caller elsewhere"),
    "wrong_nonce": Knob(Kind.COUNT, "Next time-stamps answer another request"),
    "wrong_imprint": Knob(Kind.COUNT, "Next time-stamps are over something else"),
    "wrong_signature": Knob(Kind.COUNT, "Next time-stamps are signed with another key"),
    "rejected": Knob(Kind.COUNT, "Next time-stamps are refused"),
    "ocsp_unavailable": Knob(Kind.COUNT, "Next OCSP answers are 503"),
    "delegated": Knob(Kind.SWITCH, "OCSP answers are signed by a responder"),
    "revoked": Knob(Kind.SWITCH, "Every certificate was revoked"),
    "stale": Knob(Kind.SWITCH, "OCSP answers and lists ended yesterday"),
}
