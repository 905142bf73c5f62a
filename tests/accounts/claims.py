"""Claims of texts of accounts: what must be so where a page says them."""

from tests.support.claims import nothing_done

CLAIMS = {
    "refusal.member_limit_reached": (nothing_done,),
}
NO_CLAIMS = {
    "page.acting.over": "of an organization that the visitor has left",
    "scope.order.withdraw": "what a key may do",
}
