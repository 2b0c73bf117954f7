-- Text columns with a check stand where enums could: a check can be replaced in a transaction.

CREATE TABLE jobs (
    job_id          uuid PRIMARY KEY,
    user_id         text NOT NULL CHECK (user_id <> ''),
    media_type      text NOT NULL CHECK (media_type IN ('image', 'video', 'audio')),
    model_id        text NOT NULL CHECK (model_id <> ''),
    parameters      jsonb NOT NULL CHECK (jsonb_typeof(parameters) = 'object'),
    status          text NOT NULL DEFAULT 'pending' CHECK (
        status IN ('pending', 'processing', 'storing', 'succeeded', 'failed', 'canceled')
    ),
    execution_arn   text,
    replicate_id    text,
    attempt         integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    timeout_seconds integer NOT NULL CHECK (timeout_seconds > 0),
    estimated_time  double precision NOT NULL CHECK (estimated_time >= 0),
    predict_time    double precision CHECK (predict_time >= 0),
    total_time      double precision CHECK (total_time >= 0),
    estimated_cost  numeric(12, 6) NOT NULL CHECK (estimated_cost >= 0),
    actual_cost     numeric(12, 6) CHECK (actual_cost >= 0),
    error_code      text,
    error_message   text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    completed_at    timestamptz,
    logs            text,
    deleted_at      timestamptz,
    callback_url    text,
    CONSTRAINT jobs_ended_has_a_time CHECK (
        (status IN ('succeeded', 'failed', 'canceled')) = (completed_at IS NOT NULL)
    ),
    CONSTRAINT jobs_failed_has_an_error CHECK (
        CASE status WHEN 'failed' THEN error_code IS NOT NULL
                    WHEN 'canceled' THEN true
                    ELSE error_code IS NULL END
    ),
    CONSTRAINT jobs_deleted_has_ended CHECK (deleted_at IS NULL OR completed_at IS NOT NULL)
);

-- A user's jobs newest first (a page ends at (created_at, job_id)), and those of the last hour.
CREATE INDEX jobs_user_newest_idx ON jobs (user_id, created_at DESC, job_id DESC);
-- A prediction is paid once and belongs to one job.
CREATE UNIQUE INDEX jobs_replicate_id_idx ON jobs (replicate_id) WHERE replicate_id IS NOT NULL;
-- The jobs of all users newest first, and ranges of time over all of them.
CREATE INDEX jobs_newest_idx ON jobs (created_at DESC, job_id DESC);
-- What runs right now, of all users.
CREATE INDEX jobs_running_idx ON jobs (created_at, job_id) WHERE completed_at IS NULL;
-- What `model_performance` adds up, in the order it groups by.
CREATE INDEX jobs_performance_idx ON jobs (model_id, media_type, created_at)
    INCLUDE (status, completed_at, predict_time, estimated_time, estimated_cost, actual_cost)
    WHERE completed_at IS NOT NULL;

CREATE TABLE media_assets (
    job_id        uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    index         integer NOT NULL CHECK (index >= 0),
    s3_key        text NOT NULL CHECK (s3_key <> ''),
    thumbnail_key text,
    content_type  text NOT NULL,
    file_size     bigint NOT NULL CHECK (file_size >= 0),
    sha256        text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    width         integer CHECK (width > 0),
    height        integer CHECK (height > 0),
    duration      double precision CHECK (duration >= 0),
    fps           double precision CHECK (fps >= 0),
    codec         text,
    PRIMARY KEY (job_id, index)
);

CREATE TABLE job_events (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    name   text NOT NULL CHECK (name <> ''),
    at     timestamptz NOT NULL,
    source text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (job_id, name)
);

CREATE TABLE webhook_events (
    job_id            uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    webhook_id        text NOT NULL CHECK (webhook_id <> ''),
    replicate_id      text NOT NULL,
    prediction_status text NOT NULL,
    received_at       timestamptz NOT NULL,
    PRIMARY KEY (job_id, webhook_id)
);

CREATE INDEX webhook_events_replicate_id_idx ON webhook_events (replicate_id);

-- What came of telling clients of an end, one row a try. `delivery_id` is `end`, or the id
-- of a replay the client asked for.
CREATE TABLE callback_deliveries (
    job_id          uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    delivery_id     text NOT NULL CHECK (delivery_id <> ''),
    attempt         integer NOT NULL CHECK (attempt > 0),
    at              timestamptz NOT NULL,
    outcome         text NOT NULL CHECK (outcome IN ('delivered', 'failed', 'exhausted', 'gone')),
    status_code     integer,
    error           text,
    response        text,
    duration_ms     integer NOT NULL CHECK (duration_ms >= 0),
    next_attempt_at timestamptz,
    PRIMARY KEY (job_id, delivery_id, attempt)
);

CREATE TABLE user_limits (
    user_id         text PRIMARY KEY CHECK (user_id <> ''),
    jobs_per_hour   integer CHECK (jobs_per_hour >= 0), -- null: the deployment's default, as below
    reason          text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    concurrent_jobs integer CHECK (concurrent_jobs >= 0)
);

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION refuse_job_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job %: %', OLD.job_id, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER jobs_touch BEFORE UPDATE ON jobs
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER jobs_terminal_is_final BEFORE UPDATE ON jobs
    FOR EACH ROW WHEN (OLD.completed_at IS NOT NULL AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_job_update('it has ended, its status is final');

CREATE TRIGGER jobs_identity_is_fixed BEFORE UPDATE ON jobs
    FOR EACH ROW WHEN (
        (NEW.job_id, NEW.user_id, NEW.created_at)
        IS DISTINCT FROM (OLD.job_id, OLD.user_id, OLD.created_at)
    )
    EXECUTE FUNCTION refuse_job_update('job_id, user_id and created_at never change');

CREATE TRIGGER user_limits_touch BEFORE UPDATE ON user_limits
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Days are those of UTC; costs are US dollars, `cost` counts what is known to have been paid.
CREATE VIEW usage_by_user_day AS
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
    sum(estimated_cost) AS estimated_cost,
    coalesce(sum(predict_time), 0) AS predict_seconds
FROM jobs
GROUP BY user_id, day, model_id, media_type;

-- The last 30 days of ended jobs. `seconds` is what the user waited, `predict_seconds` what the
-- model worked; times and costs are those of succeeded jobs; canceled jobs are no failures.
CREATE VIEW model_performance AS
SELECT
    model_id,
    media_type,
    count(*) AS jobs,
    count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'canceled') AS canceled,
    count(*) FILTER (WHERE status = 'succeeded')::double precision
        / nullif(count(*) FILTER (WHERE status IN ('succeeded', 'failed')), 0) AS success_rate,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - created_at)
        ::double precision) FILTER (WHERE status = 'succeeded') AS p50_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - created_at)
        ::double precision) FILTER (WHERE status = 'succeeded') AS p95_seconds,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY predict_time)
        FILTER (WHERE status = 'succeeded') AS p50_predict_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY predict_time)
        FILTER (WHERE status = 'succeeded') AS p95_predict_seconds,
    avg(estimated_time) FILTER (WHERE status = 'succeeded') AS estimated_seconds,
    avg(estimated_cost) FILTER (WHERE status = 'succeeded') AS estimated_cost,
    avg(actual_cost) FILTER (WHERE status = 'succeeded') AS actual_cost
FROM jobs
WHERE completed_at IS NOT NULL AND created_at > now() - interval '30 days'
GROUP BY model_id, media_type;

-- Predictions their job had no use for: late duplicates, and ones that outlived their job. `cost`
-- in US dollars, null while it is not known.
CREATE TABLE orphaned_predictions (
    replicate_id text PRIMARY KEY CHECK (replicate_id <> ''),
    job_id       uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    found_at     timestamptz NOT NULL,
    source       text NOT NULL,
    cost         numeric(12, 6) CHECK (cost >= 0)
);

CREATE INDEX orphaned_predictions_job_id_idx ON orphaned_predictions (job_id);
CREATE INDEX orphaned_predictions_found_at_idx ON orphaned_predictions (found_at);
