-- Who may do what for whom: organizations, their members, and the staff of the operator.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- An account that acts for more than one person.
CREATE TABLE organizations (
    account_id uuid        CONSTRAINT organizations_pkey PRIMARY KEY,
    name       text        NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_has_a_name CHECK (length(name) BETWEEN 1 AND 200)
);

-- `member_id` is the account of a person; `account_id` that of the organization.
CREATE TABLE memberships (
    account_id    uuid        NOT NULL,
    membership_id uuid        NOT NULL,
    member_id     uuid        NOT NULL,
    role          text        NOT NULL,
    given_at      timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,
    CONSTRAINT memberships_pkey PRIMARY KEY (account_id, membership_id),
    CONSTRAINT member_of_an_organization FOREIGN KEY (account_id)
        REFERENCES organizations (account_id),
    CONSTRAINT role_is_known
        CHECK (role IN ('owner', 'finance', 'clerk', 'developer', 'auditor'))
);
CREATE UNIQUE INDEX one_role_per_member ON memberships (account_id, member_id)
    WHERE ended_at IS NULL;

CREATE TABLE staff_roles (
    account_id uuid        NOT NULL,
    grant_id   uuid        NOT NULL,
    role       text        NOT NULL,
    given_at   timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CONSTRAINT staff_roles_pkey PRIMARY KEY (account_id, grant_id),
    CONSTRAINT staff_role_is_known CHECK (role IN ('support', 'reconciler', 'operator'))
);
CREATE UNIQUE INDEX one_grant_per_staff_role ON staff_roles (account_id, role)
    WHERE ended_at IS NULL;

-- What retention looks for: only rows that have ended.
CREATE INDEX memberships_to_leave ON memberships (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX staff_roles_to_leave ON staff_roles (ended_at) WHERE ended_at IS NOT NULL;
