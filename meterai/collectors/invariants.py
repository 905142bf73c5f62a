"""Invariants of collectors, their draws and their deposits."""

from meterai.plumbing.db.invariants import AHEAD, Invariant, MailCause, Posting

POSTINGS = (
    Posting(
        ("credit_drawn",),
        """
        SELECT account_id, 'drawn:' || draw_id, 'credit_drawn', draw_id, taken_at,
               ARRAY['bank_clearing', 'collectors_due'], ARRAY[amount, -amount]
        FROM {credit_draws} d WHERE taken_at IS NOT NULL
        """,
    ),
    Posting(
        ("credit_returned",),
        """
        SELECT account_id, 'undrawn:' || refund_no, 'credit_returned', draw_id, returned_at,
               ARRAY['bank_clearing', 'collectors_due'], ARRAY[-amount, amount]
        FROM {credit_returns} r
        """,
    ),
    Posting(
        ("collector_deposited",),
        """
        SELECT account_id, 'collected:' || deposit_id, 'collector_deposited', deposit_id, confirmed_at,
               ARRAY['duty_payable', 'collectors_due'], ARRAY[-amount, amount]
        FROM {collector_deposits} c WHERE state = 'confirmed'
        """,
    ),
)

MAIL_CAUSES = (
    MailCause(
        """
        SELECT account_id, 'collector_' || what || ':' || to_char(month, 'YYYY-MM') || ':' || day, 'collector_' || what,
            NULL, NULL::timestamptz, NULL
        FROM {collector_reminders*} r
        """
    ),
)

INVARIANTS = (
    Invariant(
        "draw_pays_its_attempt",
        "Every draw belongs to an attempt at the credit rail, and its amount is the duty of its "
        "order without a fee; an attempt is paid by a draw exactly if the draw was taken.",
        """
        SELECT d.account_id, d.draw_id, d.state, d.amount, a.amount AS wanted, c.amount AS paid, o.total FROM {credit_draws} d
        LEFT JOIN payment_attempts a ON a.account_id = d.account_id AND a.attempt_id = d.draw_id AND a.provider = 'credit'
        LEFT JOIN captures c ON c.account_id = d.account_id AND c.attempt_id = d.draw_id
            AND c.payment = credit_number(d.account_id, d.draw_id)
        LEFT JOIN orders o ON o.account_id = a.account_id AND o.order_id = a.subject
        WHERE a.amount IS DISTINCT FROM d.amount
            OR (o.quantity * o.unit_price, o.service_fee, o.seller_fee) IS DISTINCT FROM (d.amount, 0::bigint, NULL::bigint)
            OR c.amount IS DISTINCT FROM CASE WHEN d.taken_at IS NOT NULL THEN d.amount END
            OR (d.state = 'taken') <> (d.taken_at IS NOT NULL) OR (d.state = 'ended') <> (d.ended_at IS NOT NULL)
            OR d.ended_at < d.made_at OR d.taken_at < d.made_at
            OR d.month IS DISTINCT FROM credit_month(d.taken_at)
        UNION ALL
        SELECT c.account_id, c.attempt_id, NULL, NULL, NULL, c.amount, NULL FROM {captures} c
        WHERE starts_with(c.payment, 'credit:') AND NOT EXISTS (SELECT 1 FROM credit_draws d
            WHERE d.account_id = c.account_id AND d.draw_id = c.attempt_id AND d.state = 'taken')
        """,
    ),
    Invariant(
        "credit_that_came_back_was_a_refund",
        "The part of a draw that is no longer owed is the sum of the refunds of its order by the "
        "credit rail, and at most the amount drawn.",
        """
        SELECT account_id, draw_id, refund_no, sum(amount) AS amount, sum(refunded) AS refunded FROM (
            SELECT r.account_id, r.draw_id, r.refund_no, r.amount, 0::bigint AS refunded FROM {credit_returns} r
            UNION ALL
            SELECT d.account_id, d.draw_id, f.refund_no, 0, f.amount FROM {credit_draws} d
            JOIN refunds f ON f.account_id = d.account_id AND f.attempt_id = d.draw_id AND f.state = 'settled'
        ) sides
        GROUP BY account_id, draw_id, refund_no HAVING sum(amount) < sum(refunded)
            OR (sum(refunded) <> 0 AND sum(amount) <> sum(refunded))
        UNION ALL
        SELECT d.account_id, d.draw_id, NULL, r.amount, d.amount FROM {credit_draws} d
        CROSS JOIN LATERAL (SELECT sum(amount) AS amount FROM credit_returns r
            WHERE r.account_id = d.account_id AND r.draw_id = d.draw_id) r
        WHERE r.amount > d.amount
        """,
    ),
    Invariant(
        "collectors_owe_what_they_drew",
        "Each month of a collector contains the sums of its draws, of their refunds, and of its "
        "confirmed deposits; the open sum of all months is the balance of the book "
        "`collectors_due`.",
        """
        SELECT account_id, month, sum(drawn) AS drawn, sum(returned) AS returned, sum(deposited) AS deposited FROM (
            SELECT account_id, month, drawn, returned, deposited FROM {collector_months*} m
            UNION ALL
            SELECT account_id, month, -amount, 0, 0 FROM {credit_draws*} d WHERE taken_at IS NOT NULL
            UNION ALL
            SELECT d.account_id, d.month, 0, -r.amount, 0 FROM {credit_returns*} r
            JOIN credit_draws d ON d.account_id = r.account_id AND d.draw_id = r.draw_id
            UNION ALL
            SELECT account_id, month, 0, 0, -amount FROM {collector_deposits*} c WHERE state = 'confirmed'
        ) sides
        GROUP BY account_id, month HAVING sum(drawn) <> 0 OR sum(returned) <> 0 OR sum(deposited) <> 0
        UNION ALL
        SELECT account_id, NULL, sum(owed), sum(posted), NULL FROM (
            SELECT account_id, drawn - returned - deposited AS owed, 0::bigint AS posted FROM {collector_months*} m
            UNION ALL
            SELECT account_id, 0, debit - credit FROM {legs*} l WHERE book = 'collectors_due'
        ) sides
        GROUP BY account_id HAVING sum(owed) <> sum(posted)
        """,
    ),
    Invariant(
        "collector_deposit_is_confirmed_once",
        "Every confirmed deposit was confirmed by staff, has a receipt number that no other "
        "confirmed deposit has, and was paid in its month or later.",
        f"""
        SELECT c.account_id, c.deposit_id, c.ntpn, c.state, c.confirmed_at FROM {{collector_deposits*}} c
        WHERE (c.state = 'confirmed') <> (c.confirmed_at IS NOT NULL) OR (c.state = 'withdrawn') <> (c.withdrawn_at IS NOT NULL)
            OR c.withdrawn_at < c.told_at OR c.paid_on < c.month OR c.paid_on > (c.told_at + interval '1 day')::date
            OR c.withdrawn_at > now() + {AHEAD}
            OR (c.state = 'confirmed' AND NOT EXISTS (SELECT 1 FROM audit_events e
                WHERE e.account_id = '00000000-0000-0000-0000-000000000000' AND e.action = 'collector_deposit_confirmed'
                    AND e.subject = 'acc_' || lower(compact(c.account_id)) AND e.happened_at = c.confirmed_at))
            OR (c.state = 'confirmed' AND EXISTS (SELECT 1 FROM collector_deposits o WHERE o.ntpn = c.ntpn
                AND o.state = 'confirmed' AND (o.account_id, o.deposit_id) <> (c.account_id, c.deposit_id)))
        """,
    ),
    Invariant(
        "collector_reports_are_in_the_trail",
        "Every stored return is the newest that the collector reported for its month.",
        """
        SELECT coalesce(r.account_id, e.account_id) AS account_id, r.month, e.subject, r.receipt, r.told_at, e.happened_at
        FROM (SELECT *, to_char(month, 'YYYY-MM') AS subject FROM {collector_reports*} x) r
        FULL JOIN (
            SELECT DISTINCT ON (account_id, subject) account_id, subject, happened_at, facts->>'receipt' AS receipt,
                facts->>'reported_on' AS reported_on
            FROM {audit_events*} x WHERE action = 'collector_reported' ORDER BY account_id, subject, happened_at DESC
        ) e USING (account_id, subject)
        WHERE (r.receipt, r.reported_on::text, r.told_at) IS DISTINCT FROM (e.receipt, e.reported_on, e.happened_at)
        """,
    ),
    Invariant(
        "collector_is_as_staff_said",
        "Every collector was approved by staff and closed by staff, its terms are the last ones "
        "agreed with staff, and its documents must have facts while it is open.",
        """
        SELECT c.account_id, c.state, c.terms_id, c.closed_at FROM {collectors*} c
        LEFT JOIN LATERAL (
            SELECT min(happened_at) FILTER (WHERE action = 'collector_approved') AS approved_at,
                max(happened_at) FILTER (WHERE action IN ('collector_approved', 'collector_changed')) AS set_at,
                max(happened_at) FILTER (WHERE action = 'collector_approved') AS opened_at,
                max(happened_at) FILTER (WHERE action = 'collector_closed') AS closed_at
            FROM audit_events e WHERE e.account_id = '00000000-0000-0000-0000-000000000000'
                AND e.subject = 'acc_' || lower(compact(c.account_id))) e ON true
        LEFT JOIN {collector_terms*} t ON t.account_id = c.account_id AND t.terms_id = c.terms_id
        WHERE e.approved_at IS DISTINCT FROM c.approved_at OR e.set_at IS DISTINCT FROM t.set_at
            OR CASE WHEN e.closed_at > e.opened_at THEN e.closed_at END IS DISTINCT FROM c.closed_at
            OR (c.state = 'closed') <> (c.closed_at IS NOT NULL)
            OR (c.state = 'open') <> EXISTS (SELECT 1 FROM facts_demanded d WHERE d.account_id = c.account_id)
        """,
    ),
)
