"""Claims of texts of the waiting room: what must be so where a page says them."""

from tests.support.claims import nothing_charged

CLAIMS = {
    "page.waiting.refused_safe": (nothing_charged,),
    "page.waiting.safe_money": (nothing_charged,),
    "refusal.wait_in_line": (nothing_charged,),
}
