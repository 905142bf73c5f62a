"""Claims of texts of documents: what must be so where a page says them."""

from tests.support.claims import nothing_done

CLAIMS = {
    "refusal.store_not_ours": (nothing_done,),
}
