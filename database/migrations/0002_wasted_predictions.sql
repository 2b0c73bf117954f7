-- Predictions their job had no use for: late duplicates, and ones that outlived their job. `cost`
-- in US dollars, null while it is not known.
CREATE TABLE wasted_predictions (
    replicate_id text PRIMARY KEY CHECK (replicate_id <> ''),
    job_id       uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    found_at     timestamptz NOT NULL,
    source       text NOT NULL,
    cost         numeric(12, 6) CHECK (cost >= 0)
);

CREATE INDEX wasted_predictions_job_id_idx ON wasted_predictions (job_id);
