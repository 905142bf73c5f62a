-- Organizations as accounts of their own, invitations to them, and the stamps that their members used.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- Nobody signs in as an organization: it has no address, and is written to at that of its owner.
ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL;

ALTER TABLE organizations
    ADD COLUMN npwp  text NOT NULL DEFAULT '',
    ADD COLUMN nib   text NOT NULL DEFAULT '',
    ADD COLUMN warns text[] NOT NULL DEFAULT '{}',  -- which of these numbers are in a format that is not known
    ADD COLUMN state text NOT NULL DEFAULT 'open',
    ADD CONSTRAINT organization_state_is_known CHECK (state IN ('waiting', 'open', 'declined')),
    ADD CONSTRAINT organization_warns_of_numbers CHECK (warns <@ '{npwp,nib}'::text[]),
    ADD CONSTRAINT organization_numbers_are_short CHECK (length(npwp) <= 40 AND length(nib) <= 40);
CREATE INDEX organizations_waiting ON organizations (made_at) WHERE state = 'waiting';

ALTER TABLE memberships
    ADD COLUMN stamps_per_month integer,
    ADD CONSTRAINT member_limit_is_possible CHECK (stamps_per_month >= 0);
-- A person finds its organizations by this: their rows lie with each organization.
CREATE INDEX memberships_by_member ON memberships (member_id) WHERE ended_at IS NULL;

CREATE TABLE invitations (
    account_id       uuid        NOT NULL,
    invitation_id    uuid        NOT NULL,
    email            text        NOT NULL,
    role             text        NOT NULL,
    stamps_per_month integer,
    secret_hash      bytea       NOT NULL,
    state            text        NOT NULL DEFAULT 'sent',
    made_at          timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    CONSTRAINT invitations_pkey PRIMARY KEY (account_id, invitation_id),
    CONSTRAINT invitation_of_an_organization FOREIGN KEY (account_id)
        REFERENCES organizations (account_id),
    CONSTRAINT invitation_role_is_known
        CHECK (role IN ('owner', 'finance', 'clerk', 'developer', 'auditor')),
    CONSTRAINT invitation_state_is_known
        CHECK (state IN ('sent', 'accepted', 'withdrawn', 'replaced')),
    CONSTRAINT invitation_ends_once CHECK ((state = 'sent') = (ended_at IS NULL)),
    CONSTRAINT invitation_limit_is_possible CHECK (stamps_per_month >= 0)
);
CREATE UNIQUE INDEX one_invitation_per_address ON invitations (account_id, email) WHERE state = 'sent';
CREATE INDEX invitations_to_leave ON invitations (coalesce(ended_at, expires_at));

-- Stamps that a member with a limit used: `use_id` is a stamping, or an order of documents.
CREATE TABLE member_uses (
    account_id uuid        NOT NULL,
    use_id     uuid        NOT NULL,
    member_id  uuid        NOT NULL,
    stamps     integer     NOT NULL,
    returned   integer     NOT NULL DEFAULT 0,
    used_at    timestamptz NOT NULL,
    CONSTRAINT member_uses_pkey PRIMARY KEY (account_id, use_id),
    CONSTRAINT member_use_is_of_stamps CHECK (stamps > 0 AND returned BETWEEN 0 AND stamps)
);
CREATE INDEX member_uses_of_month ON member_uses (account_id, member_id, used_at) INCLUDE (stamps, returned);
CREATE INDEX member_uses_to_leave ON member_uses (used_at);
