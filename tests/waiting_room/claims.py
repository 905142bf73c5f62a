"""Claims in texts of the waiting room, each with the condition that must hold if a page shows it."""

from tests.support.claims import nothing_charged

CLAIMS = {
    "page.waiting.refused_safe": (nothing_charged,),
    "page.waiting.safe_money": (nothing_charged,),
    "refusal.wait_in_line": (nothing_charged,),
}
