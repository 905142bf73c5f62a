-- Of what is announced nothing is kept for long, and a file that is here whole is examined.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

CREATE INDEX draft_files_empty ON draft_files (added_at) WHERE state = 'receiving' AND received = 0;

-- A crash between the last part and the statement behind it has left these.
UPDATE draft_files SET state = 'examining', leased_until = now()
WHERE state = 'receiving' AND received = bytes;
