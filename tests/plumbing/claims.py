"""Claims in texts of plumbing, each with the condition that must hold if a page shows it."""

from tests.support.claims import charged_once, no_stamp_lost, nothing_charged

CLAIMS = {
    "refusal.body_incomplete": (nothing_charged,),
    "refusal.body_too_slow": (nothing_charged,),
    "refusal.busy": (charged_once,),
    "refusal.database_away": (charged_once,),
    "refusal.fault": (charged_once, no_stamp_lost),
    "refusal.storage_full": (charged_once,),
    "refusal.uploads_full": (nothing_charged,),
}
