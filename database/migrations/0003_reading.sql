-- What the reading API needs: the tail of the provider's logs, the mark of a deleted job, and the
-- jobs of all users newest first.

ALTER TABLE jobs ADD COLUMN logs text;
ALTER TABLE jobs ADD COLUMN deleted_at timestamptz;
ALTER TABLE jobs ADD CONSTRAINT jobs_deleted_has_ended CHECK (
    deleted_at IS NULL OR completed_at IS NOT NULL
);

CREATE INDEX jobs_newest_idx ON jobs (created_at DESC, job_id DESC);
-- The new index answers ranges of time too.
DROP INDEX jobs_created_at_idx;
