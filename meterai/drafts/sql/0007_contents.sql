-- The bytes of a document lie under their digest, and its file may be ordered without them.
-- `content_id` and `draft_file_add` are for the version before this one, and go with the next.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE draft_files
    ADD COLUMN rules smallint NOT NULL DEFAULT 0,  -- by which it was found that it can be stamped; 0: by others
    DROP CONSTRAINT draft_file_that_can_be_stamped_is_whole,
    ADD CONSTRAINT draft_file_that_can_be_stamped_is_whole CHECK
        (state NOT IN ('ready', 'repaired') OR (sha256 IS NOT NULL AND pages IS NOT NULL));
CREATE INDEX draft_files_of_content ON draft_files (sha256) WHERE state IN ('ready', 'repaired');
