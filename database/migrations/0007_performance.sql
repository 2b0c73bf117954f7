-- What `model_performance` adds up, in the order it groups by: its cost follows the jobs of thirty
-- days, not those of all time, and nothing has to be sorted or fetched from the table.
CREATE INDEX jobs_performance_idx ON jobs (model_id, media_type, created_at)
    INCLUDE (status, completed_at, predict_time, estimated_time, estimated_cost, actual_cost)
    WHERE completed_at IS NOT NULL;
