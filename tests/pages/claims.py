"""Claims in texts of pages, each with the condition that must hold if a page shows it."""

from tests.support.claims import charged_once, no_stamp_lost, nothing_done

CLAIMS = {
    "page.busy.safe": (nothing_done,),
    "page.busy.safe_paid": (no_stamp_lost,),
    "page.busy.send_again": (charged_once,),
    "page.field.body.expected.fields": (nothing_done,),
    "page.field.body.wrong": (nothing_done,),
    "page.kept": (nothing_done,),
    "page.refused.too_large": (nothing_done,),
    "refusal.form_expired": (nothing_done,),
}
