-- Of what was ordered the bytes go at once, and a draft that became one with another leads to it.
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE drafts
    ADD COLUMN merged_into uuid,  -- the draft of its owner that has its files
    ADD CONSTRAINT draft_that_was_merged_is_done
        CHECK (merged_into IS NULL OR (is_done AND order_id IS NULL));

ALTER TABLE draft_files
    DROP CONSTRAINT draft_file_state_is_known,
    DROP CONSTRAINT draft_file_is_placed_once_it_can_be_stamped,
    ADD CONSTRAINT draft_file_state_is_known CHECK
        (state IN ('receiving', 'examining', 'ready', 'repaired', 'refused', 'ordered')),
    ADD CONSTRAINT draft_file_is_placed_once_it_can_be_stamped CHECK
        (placements = '[]' OR state IN ('ready', 'repaired', 'ordered'));

-- Their objects are deleted as those that no file has.
DELETE FROM draft_files f USING drafts d
WHERE d.draft_id = f.draft_id AND d.is_done AND f.placements = '[]';
UPDATE draft_files f SET state = 'ordered', content_id = NULL FROM drafts d
WHERE d.draft_id = f.draft_id AND d.is_done;
