-- A session says what opened it, and for which organization it acts; staff have the roles that the console knows.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE sessions ADD COLUMN opened_with text NOT NULL DEFAULT 'mail';
ALTER TABLE sessions ADD COLUMN acts_for uuid;
ALTER TABLE sessions ADD CONSTRAINT session_was_opened_with_something
    CHECK (opened_with IN ('mail', 'passkey')) NOT VALID;

-- No released version gave a role of staff to anybody.
ALTER TABLE staff_roles DROP CONSTRAINT staff_role_is_known;
ALTER TABLE staff_roles ADD CONSTRAINT staff_role_is_known
    CHECK (role IN ('support', 'finance', 'operations', 'supervisor', 'regulator'));
