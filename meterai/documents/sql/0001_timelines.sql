-- Which database deletes from the object store: it claims the store anew with each pass that deletes, here first and in the
-- store then.  Objects that nobody wants are condemned, and deleted after a grace period (docs/decisions/0042-timelines.md).
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE object_store
    ADD COLUMN claim uuid,               -- of the last pass; the store carries the same, or the one before
    ADD COLUMN claim_before uuid,
    ADD COLUMN claimed_at timestamptz,
    ADD COLUMN system_identifier text,   -- of the cluster that claimed it, as PostgreSQL says it
    ADD COLUMN database_oid bigint,
    ADD COLUMN timeline integer,
    ADD COLUMN hold text,                -- why nothing is deleted until an operator confirms; null: it is deleted
    ADD COLUMN held_at timestamptz,
    ADD COLUMN confirmed_at timestamptz,
    -- When objects were written whose rows a failover may have lost: none of them is condemned for want of a row.
    ADD COLUMN spared tstzmultirange NOT NULL DEFAULT '{}',
    ADD CONSTRAINT object_store_is_held_for_a_reason CHECK ((hold IS NULL) = (held_at IS NULL)),
    ADD CONSTRAINT object_store_hold_is_known CHECK (hold IN ('restored', 'behind', 'contested'));

CREATE TABLE condemned_objects (
    name         text        NOT NULL CONSTRAINT condemned_objects_pkey PRIMARY KEY,
    condemned_at timestamptz NOT NULL,
    due_at       timestamptz NOT NULL
);
CREATE INDEX condemned_objects_due ON condemned_objects (due_at);
