-- As payments 0005: PostgreSQL reads each CHECK anew for each statement, and a literal array is one constant.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE orders
    DROP CONSTRAINT order_kind_is_known,
    DROP CONSTRAINT order_state_is_known,
    DROP CONSTRAINT paid_order_knows_its_payment,
    ADD CONSTRAINT order_kind_is_known CHECK (kind = ANY ('{stamps,documents}')) NOT VALID,
    ADD CONSTRAINT order_state_is_known CHECK (state = ANY
        ('{placed,paid,executed,lapsed,withdrawn,returning,returned,denied}')) NOT VALID,
    ADD CONSTRAINT paid_order_knows_its_payment CHECK (
        (state = ANY ('{placed,lapsed,withdrawn}'))
        = (paid_at IS NULL AND paid_attempt IS NULL AND paid_payment IS NULL AND due_at IS NULL)) NOT VALID;
