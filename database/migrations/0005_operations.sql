-- What runs right now, whoever's and however old: as short as the index is what runs.
CREATE INDEX jobs_running_idx ON jobs (created_at, job_id) WHERE completed_at IS NULL;
-- What was wasted lately.
CREATE INDEX wasted_predictions_found_at_idx ON wasted_predictions (found_at);
