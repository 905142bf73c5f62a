"""Claims of texts of refusals of the kit: what must be so where a page says them."""

from tests.support.claims import nothing_done

CLAIMS = {
    "refusal.proof_required": (nothing_done,),
}
