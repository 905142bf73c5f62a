-- By what the owner of an account tells its sessions apart: which browser, on which system, when used.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE sessions
    ADD COLUMN browser      text NOT NULL DEFAULT '',  -- a name from a list of ours, '' where unknown
    ADD COLUMN system       text NOT NULL DEFAULT '',
    ADD COLUMN last_used_at timestamptz,
    ADD CONSTRAINT session_agent_is_coarse CHECK (length(browser) <= 20 AND length(system) <= 20);
