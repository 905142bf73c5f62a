"""Claims in texts of accounts, each with the condition that must hold if a page shows it."""

from tests.support.claims import nothing_done

CLAIMS = {
    "refusal.member_limit_reached": (nothing_done,),
}
