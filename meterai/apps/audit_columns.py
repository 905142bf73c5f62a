"""The columns that are no facts (`audit_facts`): which invariants look at each, or why none has to.

Every column of every table is in one of the three, so that a new one cannot come without a decision.
"""

from collections.abc import Mapping

# What changes with the state of a row, and what looks at it.
CHECKED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "accounts": {"email": ("trail_knows_every_address", "address_finds_its_account")},
    "api_keys": {
        "account_id": ("session_and_key_are_in_the_trail",),
        "key_id": ("session_and_key_are_in_the_trail",),
        "secret_hash": ("api_key_is_what_the_trail_says",),
        "name": ("api_key_is_what_the_trail_says",),
        "ended_at": ("api_key_is_what_the_trail_says",),
    },
    "memberships": dict.fromkeys(
        ("account_id", "membership_id", "member_id", "role", "ended_at"),
        ("role_is_in_the_trail",),
    ),
    "organizations": {"account_id": ("role_is_in_the_trail",)},
    "staff_roles": dict.fromkeys(
        ("account_id", "grant_id", "role", "ended_at"), ("role_is_in_the_trail",)
    ),
    "audit_points": dict.fromkeys(
        ("point", "kind", "covers_from", "covers_until", "history", "totals", "chained"),
        ("history_is_as_it_was_audited",),
    ),
    "balances": {
        "account_id": ("balances_are_the_sums_of_their_legs",),
        "book": ("balances_are_the_sums_of_their_legs",),
        "posted": ("balances_are_the_sums_of_their_legs",),
        "held": ("held_is_the_sum_of_open_holds",),
    },
    "captures": {"denied_at": ("no_money_lies_about",)},
    "chargebacks": {
        "taken_back": ("no_money_lies_about",),
        "is_whole": ("no_money_lies_about", "chargeback_is_what_was_told_and_booked"),
        "posted": ("entries_are_what_their_causes_make", "no_money_lies_about"),
        "lost": ("chargeback_is_what_was_told_and_booked",),
        "findings": ("chargeback_is_what_was_told_and_booked",),
        "returned": ("no_money_lies_about",),
        "returned_posted": ("no_money_lies_about", "entries_are_what_their_causes_make"),
        "look_at": ("chargeback_is_what_was_told_and_booked",),
    },
    "deltas": {"delta": ("delta_is_what_was_delivered",)},
    "documents": {
        "name": ("document_is_called_as_it_was",),
        "name_salt": ("document_is_called_as_it_was",),
    },
    "email_directory": {
        "email": ("address_finds_its_account",),
        "account_id": ("address_finds_its_account",),
    },
    "issuing": dict.fromkeys(
        ("is_open", "reason", "changed_at"), ("issuing_was_changed_by_an_operator",)
    ),
    "jobs": {
        "account_id": ("no_money_lies_about",),
        "kind": ("no_money_lies_about",),
        "facts": ("no_money_lies_about",),
        "run_at": ("no_job_put_off", "no_job_late"),
        "created_at": ("no_job_put_off",),
        "tries": ("no_job_put_off",),
    },
    "mails": {
        "recipient": ("mail_is_about_something",),
        "try_at": ("no_mail_late",),
    },
    "notification_inbox": {
        "body": ("news_of_the_bank_is_as_it_came",),
        "outcome": ("no_notification_forgotten", "news_of_the_bank_is_what_was_done"),
    },
    "orders": {
        "state": ("orders_issue_what_was_paid", "order_stands_where_its_refunds_do"),
        "closed_at": ("order_times_are_in_order",),
        "returning_due_at": ("order_stands_where_its_refunds_do",),
    },
    "payment_attempts": {
        "state": ("attempt_agrees_with_its_payments",),
        "leased_until": ("attempt_times_are_possible",),
        "ask_at": ("attempt_times_are_possible",),
        "cancel_at": ("attempt_times_are_possible",),
    },
    "refunds": {
        "state": ("order_stands_where_its_refunds_do", "refund_times_are_possible"),
        "tries": ("refund_times_are_possible",),
        "try_at": ("refund_times_are_possible", "no_refund_past_its_due_time_unnoticed"),
    },
    "serial_directory": {
        "serial": ("directory_knows_only_stamps",),
        "account_id": ("directory_knows_only_stamps",),
    },
    "sessions": {
        "account_id": ("session_and_key_are_in_the_trail",),
        "session_id": ("session_and_key_are_in_the_trail",),
        "secret_hash": ("session_is_what_the_trail_says",),
        "created_at": ("session_times_are_possible",),
        "expires_at": ("session_is_what_the_trail_says",),
        "ended_at": ("session_is_what_the_trail_says",),
    },
    "stamp_lots": {
        "held": ("lots_agree_with_serials",),
        "affixed": ("lots_agree_with_serials",),
        "returned": ("returned_stamps_are_explained",),
    },
    "stampings": {
        "state": ("stamping_agrees_with_its_serials",),
        "due_at": ("stamping_belongs_to_an_order_or_a_balance",),
        "leased_until": ("stamping_belongs_to_an_order_or_a_balance",),
    },
    "stamps": {"state": ("stamping_agrees_with_its_serials",)},
    "suspense_items": {
        "told": ("suspended_news_is_as_it_came",),
        "due_at": ("suspense_is_looked_at_in_time",),
    },
}

_SHOWN = "Shown to its owner; nothing is decided by it."
_WORK = "Counts tries or keeps an answer: it delays work, which is looked at by when it is late."
_ONE_ROW = "A constraint leaves it one value."
_STARTS = "A process that finds another id in its store does not start."
# What need not be looked at, each with its reason.
OPEN: Mapping[str, Mapping[str, str]] = {
    "accounts": {"language": "Which of two languages its pages and mails are in."},
    "api_keys": {
        "created_at": f"{_SHOWN} When it was made is in the audit trail.",
        "last_used_at": _SHOWN,
    },
    "memberships": {"given_at": f"{_SHOWN} When it was given is in the audit trail."},
    "organizations": {"name": "What its owner calls it.", "made_at": _SHOWN},
    "staff_roles": {"given_at": f"{_SHOWN} When it was given is in the audit trail."},
    "audit_points": {"taken_at": "When it was written; what it covers is in its hash."},
    "chargebacks": {
        "is_named": "Whether later news without a number may speak of this payment.",
        "last_told_at": "When the bank repeated itself.",
        "returned_told": "Whether the bank's record is to be asked; what it says is in the books.",
    },
    "dead_jobs": dict.fromkeys(
        [
            "account_id",
            "job_id",
            "handler",
            "kind",
            "facts",
            "created_at",
            "died_at",
            "tries",
            "fault",
        ],
        "Work that was given up: what it would have done is looked at where it would have left "
        "something, and the list only says why it has not.",
    ),
    "documents": dict.fromkeys(
        ("kept_until", "forgotten_at"),
        "For how long the bytes stay; whether they are there is compared with the object store "
        "(objects_are_those_of_documents).",
    ),
    "issuing": {"only_row": _ONE_ROW},
    "jobs": {
        "job_id": "A name that nothing else uses.",
        **dict.fromkeys(
            ("handler", "handlers"),
            "What a handler would have done is looked at where it would have left something.",
        ),
        "last_fault": _WORK,
    },
    "mails": {
        "facts": "What a mail says beside the words for its cause; it leaves within seconds.",
        "state": "Whether it was sent, which only the mail server knows; that it was written is a "
        "demand of what it is about.",
        "tries": _WORK,
        "last_fault": _WORK,
    },
    "object_store": {"only_row": _ONE_ROW, "store_id": _STARTS, "marked_at": _STARTS},
    "payment_attempts": {
        "qr_content": "Shown to the buyer; whom it pays is the bank's to say, and what was paid "
        "comes with our reference.",
        "provider_reference": "The bank's number of a QR: news that names no reference of ours is "
        "looked up by it, and its sum and payment are those of the bank.",
        "asked": _WORK,
        "tries": _WORK,
        "last_answer": _WORK,
        "is_perhaps_made": "Whether a QR that nobody saw is taken back or simply ends.",
        "ask_rank": "Which of two queues a question waits in; both are looked at by their times.",
        "cancel_tries": _WORK,
    },
    "refunds": {
        "last_answer": _WORK,
        "leased_until": "For how long nobody else sends it; looked at by when it is late.",
    },
    "round_faults": dict.fromkeys(
        [
            "account_id",
            "round",
            "subject",
            "tries",
            "code",
            "last_fault",
            "first_at",
            "last_at",
            "try_at",
        ],
        "Why something is late; that it is late is looked at by itself.",
    ),
    "serial_leases": dict.fromkeys(
        ["lease", "holder", "held_until"],
        "Keeps two processes from making one serial, which serial_given_out_once would find.",
    ),
    "sign_in_challenges": dict.fromkeys(
        [
            "challenge_id",
            "email",
            "network",
            "created_at",
            "expires_at",
            "tries",
            "used_at",
            "device",
        ],
        "A code that lives for minutes; what it opened is a session in the audit trail.",
    ),
    "stampings": {"tries": _WORK, "refused": _SHOWN},
    "suspense_items": {
        "owner": "Who is asked to look first; whoever looks is in the audit trail.",
        "told_at": "When the bank repeated itself.",
        "times_told": "When the bank repeated itself.",
    },
}
