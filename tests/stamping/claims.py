"""Claims of texts of stamping: what must be so where a page says them."""

from tests.support.claims import no_stamp_lost

CLAIMS = {
    "refusal.not_in_time": (no_stamp_lost,),
    "refusal.stamping_failed": (no_stamp_lost,),
}
