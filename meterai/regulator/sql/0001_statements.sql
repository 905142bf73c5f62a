-- Daily extracts of the books, and statements of months that are closed.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

-- Made once, after its day in WIB is over, and never changed.
CREATE TABLE extracts (
    day      date        NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    rows     bigint      NOT NULL,
    size     bigint      NOT NULL,  -- bytes of the file as it is downloaded
    sha256   bytea       NOT NULL,  -- of the same
    manifest text        NOT NULL,  -- signed; it names the manifest of the day before
    CONSTRAINT extracts_pkey PRIMARY KEY (day),
    CONSTRAINT extract_is_of_a_day_that_is_over
        CHECK (made_at >= timezone('Asia/Jakarta', (day + 1)::timestamp)),
    CONSTRAINT extract_has_its_digest CHECK (octet_length(sha256) = 32)
);

-- The file in pieces, each a gzip member of its own: one behind the other they are a gzip file (RFC 1952, section 2.2).
CREATE TABLE extract_parts (
    day     date    NOT NULL,
    part    integer NOT NULL,
    content bytea   NOT NULL,
    CONSTRAINT extract_parts_pkey PRIMARY KEY (day, part),
    CONSTRAINT extract_part_counts CHECK (part >= 0)
);

CREATE TABLE extract_sums (
    day     date   NOT NULL,
    reason  text   NOT NULL,
    book    text   NOT NULL,
    entries bigint NOT NULL,
    amount  bigint NOT NULL,  -- credits less debits
    CONSTRAINT extract_sums_pkey PRIMARY KEY (day, reason, book)
);

-- A month whose figures are final: what comes later is of the month in which it is posted.
CREATE TABLE statements (
    month     date        NOT NULL,  -- its first day
    closed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT statements_pkey PRIMARY KEY (month),
    CONSTRAINT statement_is_of_a_month CHECK (extract(day FROM month) = 1),
    CONSTRAINT statement_is_of_a_month_that_is_over
        CHECK (closed_at >= timezone('Asia/Jakarta', month + interval '1 month'))
);

CREATE TABLE statement_sums (
    month   date   NOT NULL,
    reason  text   NOT NULL,
    book    text   NOT NULL,
    entries bigint NOT NULL,
    amount  bigint NOT NULL,
    CONSTRAINT statement_sums_pkey PRIMARY KEY (month, reason, book)
);
