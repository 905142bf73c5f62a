-- Posts a draw: the collector owes its amount to the state, and its order is paid.
CREATE OR REPLACE FUNCTION credit_post(p_draw credit_draws) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO collector_months (account_id, month, drawn) VALUES (p_draw.account_id, p_draw.month, p_draw.amount)
    ON CONFLICT ON CONSTRAINT collector_months_pkey DO UPDATE SET drawn = collector_months.drawn + excluded.drawn;
    PERFORM ledger_post(p_draw.account_id, 'drawn:' || p_draw.draw_id, 'credit_drawn', p_draw.draw_id,
                        ARRAY['bank_clearing', 'collectors_due'], ARRAY[p_draw.amount, -p_draw.amount]);
    PERFORM payment_capture(p_draw.account_id, p_draw.draw_id, credit_number(p_draw.account_id, p_draw.draw_id),
                            p_draw.amount, 'question');
END $$;
