-- Sums of the books by day and channel, so that nobody who asks reads the legs of a month.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE channel_sums (
    day       date    NOT NULL,  -- WIB
    channel   text    NOT NULL,
    seller_id uuid    NOT NULL,  -- the account of the distributor; nil where there is none
    reason    text    NOT NULL,
    book      text    NOT NULL,
    is_kept   boolean NOT NULL,  -- of entries before `kept_until`; the others are counted anew each time
    entries   bigint  NOT NULL,
    amount    bigint  NOT NULL,  -- credits less debits
    CONSTRAINT channel_sums_pkey PRIMARY KEY (day, channel, seller_id, reason, book, is_kept),
    CONSTRAINT channel_is_known CHECK (channel = ANY ('{page,api,distributor,deposit,none}'))
);

CREATE TABLE channel_counts (
    channel_count_id integer     NOT NULL DEFAULT 1,
    kept_until       timestamptz NOT NULL,  -- entries before it are counted once and for all
    counted_until    timestamptz NOT NULL,  -- those before it are counted
    CONSTRAINT channel_counts_pkey PRIMARY KEY (channel_count_id),
    CONSTRAINT channel_count_is_one CHECK (channel_count_id = 1)
);
