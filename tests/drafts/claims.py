"""Claims in texts of drafts, each with the condition that must hold if a page shows it."""

from tests.support.claims import files_kept, nothing_charged, nothing_done

CLAIMS = {
    "page.choose.lead": (nothing_charged,),
    "refusal.drafts_full": (files_kept,),
    "refusal.form_too_large": (nothing_done,),
    "refusal.network_full": (files_kept,),
    "refusal.strangers_full": (files_kept,),
}
