"""Claims in texts of stamping, each with the condition that must hold if a page shows it."""

from tests.support.claims import no_stamp_lost

CLAIMS = {
    "refusal.not_in_time": (no_stamp_lost,),
    "refusal.stamping_failed": (no_stamp_lost,),
}
