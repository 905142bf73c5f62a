"""Claims in texts of sealing, each with the condition that must hold if a page shows it."""

from tests.support.claims import no_stamp_lost, nothing_charged

CLAIMS = {
    "refusal.art_unusable": (no_stamp_lost,),
    "refusal.issuer_unusable": (no_stamp_lost,),
    "refusal.placement_on_stamp": (nothing_charged,),
    "refusal.placements_overlap": (nothing_charged,),
    "refusal.revocation_unavailable": (no_stamp_lost,),
    "refusal.sealing_unavailable": (no_stamp_lost,),
    "refusal.time_stamp_unavailable": (no_stamp_lost,),
}
