"""Invariants of payments and of the inbox of notifications."""

from meterai.payments.rails import RailKind, RailKinds
from meterai.payments.silence import ALL, BOUND, silent
from meterai.plumbing.db.invariants import AHEAD, BEFORE_DIGESTS, LATE, Invariant, Posting

# Bodies of notifications are kept at least this long: the retention, less a day for clocks that differ.
LET_GO = "interval '179 days'"

POSTINGS = (
    Posting(
        ("payment_captured",),
        """
        SELECT c.account_id, 'captured:' || c.attempt_id || ':' || c.payment, 'payment_captured',
               a.subject, c.captured_at, ARRAY['bank_clearing', 'buyer_funds'],
               ARRAY[-c.amount, c.amount]
        FROM {captures} c JOIN {payment_attempts} a USING (account_id, attempt_id)
        WHERE c.learned_by <> 'denial'
        """,
    ),
    Posting(
        ("compensation_due",),
        """
        SELECT c.account_id, 'compensation:' || c.refund_id || ':' || c.day, 'compensation_due', r.order_id, c.begun_at,
               ARRAY['compensation', 'refunds_payable'], ARRAY[-c.amount, c.amount]
        FROM {compensations} c JOIN {refunds} r USING (account_id, refund_id)
        """,
    ),
    Posting(
        ("compensation_paid", "transfer_returned"),
        # An entry for the transfer that carries the compensation, and two for each transfer that was returned.
        """
        SELECT c.account_id, w.word || c.refund_id || ':' || c.day || ':' || t.transfer_id, w.reason, r.order_id,
               w.posted_at, ARRAY['refunds_payable', 'refund_float'], ARRAY[-w.amount, w.amount]
        FROM {compensations} c JOIN {refunds} r USING (account_id, refund_id)
        JOIN {transfers} t ON t.account_id = c.account_id AND t.settled_at IS NOT NULL AND (t.transfer_id = c.transfer_id
            OR (t.state = 'returned' AND EXISTS (SELECT 1 FROM {entries?} e WHERE e.account_id = c.account_id
                AND e.entry_id = 'compensated:' || c.refund_id || ':' || c.day || ':' || t.transfer_id)))
        CROSS JOIN LATERAL (VALUES ('compensated:', 'compensation_paid', t.settled_at, c.amount),
            ('returned:', 'transfer_returned', t.returned_at, -c.amount)) AS w (word, reason, posted_at, amount)
        WHERE w.posted_at IS NOT NULL
        UNION ALL
        SELECT t.account_id, 'returned:' || t.transfer_id, 'transfer_returned', t.transfer_id, t.returned_at,
               ARRAY['refund_float', 'denied_loss'], ARRAY[-t.lost, t.lost]
        FROM {transfers} t WHERE t.lost > 0 AND t.state = 'returned'
        """,
    ),
    Posting(
        ("transfer_lost",),
        """
        SELECT t.account_id, 'transferred:' || t.transfer_id, 'transfer_lost', t.transfer_id, t.settled_at,
               ARRAY['denied_loss', 'refund_float'], ARRAY[-t.lost, t.lost]
        FROM {transfers} t WHERE t.lost > 0
        """,
    ),
)

INVARIANTS = (
    Invariant(
        "attempt_agrees_with_its_payments",
        "An attempt is paid or charged back exactly if one of its payments is; no payment is "
        "older than its attempt, charged back before it came, or without an attempt.",
        """
        SELECT account_id, attempt_id, a.state, c.payment, c.captured_at, c.denied_at
        FROM {payment_attempts} a FULL JOIN {captures} c USING (account_id, attempt_id)
        WHERE a.state IS NULL OR c.captured_at < a.opened_at OR c.denied_at < c.captured_at
            OR (c.learned_by = 'denial' AND c.denied_at IS NULL)
            OR (c.learned_by <> 'denial' AND a.state NOT IN ('paid', 'denied'))
            OR (a.state = 'paid' AND NOT EXISTS (
                SELECT 1 FROM captures p WHERE p.account_id = a.account_id
                AND p.attempt_id = a.attempt_id AND p.learned_by <> 'denial'
                AND p.denied_at IS NULL))
            OR (a.state = 'denied' AND NOT EXISTS (
                SELECT 1 FROM captures p WHERE p.account_id = a.account_id
                AND p.attempt_id = a.attempt_id AND p.learned_by <> 'denial'
                AND p.denied_at IS NOT NULL))
        """,
    ),
    Invariant(
        "reference_names_its_attempt",
        "The reference of an attempt at the provider consists of the ids of its account and of "
        "the attempt.",
        """
        SELECT account_id, attempt_id, reference FROM {payment_attempts} a
        WHERE reference <> 'EM' || compact(account_id) || compact(attempt_id)
        """,
    ),
    Invariant(
        "qr_is_of_one_attempt",
        "Instructions to pay (such as a QR), identified by the provider's number, belong to one "
        "attempt only; an attempt has the instructions exactly if it has the number.",
        """
        SELECT a.account_id, a.attempt_id, a.provider_reference, o.account_id AS other_account,
               o.attempt_id AS other_attempt
        FROM {payment_attempts} a LEFT JOIN payment_attempts o
            ON o.provider_reference = a.provider_reference AND o.provider = a.provider
            AND (o.account_id, o.attempt_id) <> (a.account_id, a.attempt_id)
        WHERE o.attempt_id IS NOT NULL
            OR (a.instructions IS NULL) <> (a.provider_reference IS NULL)
        """,
    ),
    Invariant(
        "instructions_are_whole",
        "The instructions of an attempt are of a known kind and have the time when they were "
        "written; a QR that an earlier release stored beside them is the same one.",
        """
        SELECT account_id, attempt_id, method, instructions->>'kind' AS kind
        FROM {payment_attempts} a
        WHERE (instructions IS NULL) <> (instructed_at IS NULL)
            OR (instructions IS NOT NULL AND (
                coalesce(instructions->>'kind', '') NOT IN ('qr', 'account_number', 'redirect', 'deposit', 'credit')
                OR instructed_at < opened_at))
            OR qr_content <> coalesce(instructions->>'content', '')
        """,
    ),
    Invariant(
        "payment_counts_once",
        "A payment, identified by the provider's number, was captured for one attempt only, and "
        "its money is not also in suspense.",
        """
        SELECT c.payment, c.account_id, c.attempt_id, o.account_id AS other_account,
               o.attempt_id AS other_attempt
        FROM {captures} c JOIN captures o ON o.payment = c.payment
            AND (o.account_id, o.attempt_id) <> (c.account_id, c.attempt_id)
        WHERE c.learned_by <> 'denial' AND o.learned_by <> 'denial'
        UNION ALL
        SELECT c.payment, c.account_id, c.attempt_id, NULL, i.item_id
        FROM {captures} c JOIN suspense_items i ON i.payment = c.payment AND i.booked > 0
            AND (i.state = 'open' OR i.resolution = 'returned')
        WHERE c.learned_by <> 'denial'
        """,
    ),
    Invariant(
        "no_question_falls_silent",
        "A query that a provider leaves unanswered for a day has an item in suspense for staff.",
        # Items are compared by their keys without the last part, which differs for each period without answers.  An item
        # that a person ended is opened again after a week.
        f"""
        WITH kept AS (
            SELECT DISTINCT regexp_replace(item_key, ':[^:]*$', '') AS prefix FROM suspense_items
            WHERE reason IN ('unanswered', 'unconfirmed') AND (state = 'open'
                OR (resolved_by <> 'payments' AND resolved_at > now() - interval '7 days' - {LATE})))
        SELECT s.account_id, s.kind, s.provider, s.key, s.since FROM ({silent(f"({BOUND} + {LATE})")}) s
        LEFT JOIN kept one ON one.prefix = s.reason || ':' || s.kind || ':' || s.provider || ':' || s.key
        LEFT JOIN kept every ON every.prefix = s.reason || ':' || s.kind || ':' || s.provider || ':{ALL}'
        WHERE one.prefix IS NULL AND every.prefix IS NULL
        """,
    ),
    Invariant(
        "closed_money_is_settled",
        "A record of a day confirms only money that was received or returned, and no earlier "
        "than it moved.",
        f"""
        SELECT account_id, attempt_id, payment, NULL AS refund_id, recorded_at FROM {{captures}} c
        WHERE recorded_at IS NOT NULL AND (learned_by = 'denial'
            OR recorded_at < captured_at - interval '2 days' OR recorded_at > now() + {AHEAD})
        UNION ALL
        SELECT account_id, attempt_id, payment, refund_id, recorded_at FROM {{refunds}} r
        WHERE recorded_at IS NOT NULL AND (state <> 'settled' OR recorded_at > now() + {AHEAD})
        UNION ALL
        SELECT account_id, NULL, NULL, transfer_id, recorded_at FROM {{transfers}} t
        WHERE recorded_at IS NOT NULL AND (settled_at IS NULL OR recorded_at > now() + {AHEAD})
        """,
    ),
    Invariant(
        "refund_takes_its_way",
        "A refund goes by transfer or waits for an account exactly if its way says so; a refund "
        "that replaces a rerouted one has the same sum, payment and due time, and every rerouted "
        "refund has a replacement.",
        f"""
        SELECT r.account_id, r.refund_id, r.state, r.way, r.transfer_id, r.first_id, r.wanted_at
        FROM {{refunds}} r
        LEFT JOIN {{refunds?}} w ON w.account_id = r.account_id AND r.cause_key = 'rerouted:' || w.refund_id
        LEFT JOIN transfers t ON t.account_id = r.account_id AND t.transfer_id = r.transfer_id
        WHERE (r.way = 'claim' AND r.state = 'requested') <> (r.wanted_at IS NOT NULL)
            OR r.wanted_at NOT BETWEEN r.requested_at AND now() + {AHEAD}
            OR r.waited_seconds NOT BETWEEN 0 AND greatest(0, extract(epoch FROM now() - r.due_at) + 600)
            OR (r.try_at = 'infinity' AND refund_is_open(r.state)) <> (r.way <> 'provider' AND refund_is_open(r.state))
            OR (r.way = 'provider' AND r.transfer_id IS NOT NULL)
            OR r.reroute_at NOT BETWEEN r.requested_at AND now() + interval '20 minutes'
            OR (r.way = 'claim' AND NOT r.state = ANY ('{{{{requested,void}}}}'))
            OR (r.way = 'transfer' AND r.state = 'requested' AND NOT coalesce(t.state, '') = ANY ('{{{{planned,sent,accepted}}}}')
                AND NOT EXISTS (SELECT 1 FROM payees p WHERE p.account_id = r.account_id AND p.ended_at IS NULL))
            OR (r.way = 'transfer' AND r.state = ANY ('{{{{sent,accepted,refused,settled}}}}') AND t.transfer_id IS NULL)
            OR (r.first_id IS NOT NULL) <> (w.refund_id IS NOT NULL)
            OR (w.refund_id IS NOT NULL AND (r.first_id <> coalesce(w.first_id, w.refund_id) OR r.amount <> w.amount
                OR r.payment <> w.payment OR r.due_at <> w.due_at OR NOT w.state = ANY ('{{{{rerouted,settled}}}}')))
            OR (r.state = 'rerouted' AND NOT EXISTS (SELECT 1 FROM {{refunds?}} n
                WHERE n.account_id = r.account_id AND n.cause_key = 'rerouted:' || r.refund_id))
        """,
    ),
    Invariant(
        "account_of_a_payee_is_current_once",
        "Money goes only to the account that the buyer named last.",
        """
        SELECT p.account_id, p.payee_id, p.named_at, p.ended_at FROM {payees*} p
        WHERE p.ended_at < p.named_at OR (p.ended_at IS NULL AND (p.account_no = '' OR p.holder = ''
            OR EXISTS (SELECT 1 FROM payees o WHERE o.account_id = p.account_id AND o.named_at > p.named_at)))
        """,
    ),
    Invariant(
        "transfer_is_what_it_carries",
        "The sum of a transfer is that of its refunds and compensations; a refund by transfer is "
        "settled exactly when its transfer is, and returned money belongs to its payment again.",
        """
        SELECT t.account_id, t.transfer_id, t.state, t.amount, t.lost, c.rupiah, c.wrong FROM {transfers} t
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS rupiah, count(*) FILTER (WHERE wrong) AS wrong FROM (
                SELECT r.amount, CASE t.state
                        WHEN 'planned' THEN r.state <> 'requested' WHEN 'settled' THEN r.state <> 'settled'
                        WHEN 'returned' THEN r.state <> 'settled' OR r.reversed <> r.amount
                        ELSE r.state <> t.state END AS wrong
                FROM {refunds?} r WHERE r.account_id = t.account_id AND r.transfer_id = t.transfer_id
                    AND refund_counts(r.state)
                UNION ALL
                SELECT k.amount, false FROM compensations k
                WHERE k.account_id = t.account_id AND k.transfer_id = t.transfer_id) carried) c ON true
        WHERE (t.state = ANY ('{{planned,sent,accepted,settled}}') AND (c.wrong > 0 OR c.rupiah <> t.amount - t.lost))
            OR (t.state = 'returned' AND c.wrong > 0)
            OR (t.state = 'planned') <> (t.tries = 0 AND t.state <> 'void')
            OR (t.state = 'returned') <> (t.returned_at IS NOT NULL)
            OR t.transfer_no <> 'TF' || compact(t.account_id) || compact(t.transfer_id)
        """,
    ),
    Invariant(
        "rail_was_taken_out_by_an_operator",
        "A rail is out of use exactly if the last act of an operator in the audit trail says so.",
        """
        SELECT coalesce(r.rail, e.rail) AS rail, r.out_at, e.action, e.happened_at
        FROM rails_out r FULL JOIN (
            SELECT DISTINCT ON (subject) subject AS rail, action, happened_at,
                facts->>'reason' AS reason FROM audit_events
            WHERE account_id = '00000000-0000-0000-0000-000000000000'
                AND action IN ('rail_taken_out', 'rail_put_back')
            ORDER BY subject, happened_at DESC) e USING (rail)
        WHERE (r.rail IS NOT NULL) IS DISTINCT FROM (e.action IS NOT DISTINCT FROM 'rail_taken_out')
            OR r.out_at <> e.happened_at OR r.reason <> e.reason
        """,
    ),
    Invariant(
        "no_notification_forgotten",
        "Every notification was processed within ten minutes, or has a job that is still trying.",
        f"""
        SELECT provider, external_id, received_at, outcome FROM notification_inbox i
        WHERE (outcome IS NULL AND (received_at < now() - {LATE} OR NOT EXISTS (
                SELECT 1 FROM jobs j WHERE j.kind = 'notification_received'
                AND j.facts->>'external_id' = i.external_id
                AND coalesce(j.facts->>'provider', 'bank') = i.provider
                AND j.facts->>'sent_on' = i.sent_on::text)))
            OR received_at > now() + {AHEAD}
        """,
    ),
    Invariant(
        "news_of_the_bank_is_as_it_came",
        "Every notification has the bytes that were received, until they are deleted at the end "
        "of their retention.",
        f"""
        SELECT provider, external_id, received_at, outcome FROM notification_inbox i
        WHERE CASE WHEN body <> '' THEN body_sha256 <> sha256(body)
                  OR (body_sha256 IS NULL AND received_at > {BEFORE_DIGESTS})
              ELSE body_sha256 IS DISTINCT FROM sha256(body)
                   AND (outcome IS NULL OR received_at > now() - {LET_GO}) END
        """,
    ),
    Invariant(
        "no_round_fails_for_long",
        "No item of a periodic task has failed for more than an hour.",
        """
        SELECT account_id, round, subject, tries, code, first_at, last_at FROM round_faults
        WHERE first_at < now() - interval '1 hour' AND last_at > now() - interval '1 hour'
        """,
    ),
    Invariant(
        "no_job_stuck",
        "No job has failed for more than an hour.",
        """
        SELECT account_id, job_id, kind, tries, last_fault FROM jobs
        WHERE created_at < now() - interval '1 hour' AND tries > 3
        """,
    ),
)


def rail_invariants(kinds: RailKinds) -> tuple[Invariant, ...]:
    """Invariants of the attempts at rails of these kinds; attempts at other rails are not checked."""
    methods = " OR ".join(
        f"(provider = '{kind.name}' AND method NOT IN ({_listed(kind)}))" for kind in kinds
    )
    found = Invariant(
        "attempt_has_a_method_of_its_rail",
        "The method of an attempt is one of the methods of its rail.",
        f"""
        SELECT account_id, attempt_id, provider, method FROM {{payment_attempts}} a
        WHERE {methods}
        """,
    )
    return (found,)


def _listed(kind: RailKind) -> str:
    return ", ".join(f"'{method.name}'" for method in kind.methods)
