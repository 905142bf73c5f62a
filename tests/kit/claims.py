"""Claims in texts of refusals of the kit, each with the condition that must hold if a page shows it."""

from tests.support.claims import nothing_done

CLAIMS = {
    "refusal.proof_required": (nothing_done,),
}
