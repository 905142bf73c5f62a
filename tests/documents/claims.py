"""Claims in texts of documents, each with the condition that must hold if a page shows it."""

from tests.support.claims import nothing_done

CLAIMS = {
    "refusal.store_not_ours": (nothing_done,),
}
