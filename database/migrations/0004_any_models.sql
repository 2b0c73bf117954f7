-- Any model: what it makes may be a text or another file, and its price may not be known.
ALTER TABLE jobs DROP CONSTRAINT jobs_media_type_check;
ALTER TABLE jobs ADD CONSTRAINT jobs_media_type_check
    CHECK (media_type IN ('image', 'video', 'audio', 'text', 'file'));
ALTER TABLE jobs ALTER COLUMN estimated_cost DROP NOT NULL; -- null: the model has no price

-- Whether the user may run models without a price; null: the deployment's default.
ALTER TABLE user_limits ADD COLUMN unpriced_models boolean;

CREATE OR REPLACE VIEW usage_by_user_day AS
SELECT
    user_id,
    (created_at AT TIME ZONE 'UTC')::date AS day,
    model_id,
    media_type,
    count(*) AS jobs,
    count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'canceled') AS canceled,
    coalesce(sum(actual_cost), 0) AS cost,
    coalesce(sum(estimated_cost), 0) AS estimated_cost,
    coalesce(sum(predict_time), 0) AS predict_seconds
FROM jobs
GROUP BY user_id, day, model_id, media_type;
