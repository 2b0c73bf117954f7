-- The whole schema as it stands after the last migration, for reading and for a database made in
-- one go (`psql -f database/schema.sql`). A test keeps it equal to the sum of the migrations.
-- Text columns with a check stand where enums could: a check can be replaced in a transaction.

CREATE TABLE jobs (
    job_id          uuid PRIMARY KEY,
    user_id         text NOT NULL CHECK (user_id <> ''),
    media_type      text NOT NULL CHECK (media_type IN ('image', 'video', 'audio', 'text', 'file')),
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
    estimated_cost  numeric(12, 6) CHECK (estimated_cost >= 0), -- null: the model has no price
    actual_cost     numeric(12, 6) CHECK (actual_cost >= 0),
    error_code      text,
    error_message   text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    completed_at    timestamptz,
    logs            text,
    deleted_at      timestamptz,
    callback_url    text,
    metadata        jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    error_detail    text,
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
CREATE INDEX jobs_metadata_idx ON jobs USING gin (metadata jsonb_path_ops);
-- Whole words and their beginnings, in whatever language.
CREATE INDEX jobs_prompt_idx ON jobs USING gin (to_tsvector('simple', coalesce(parameters->>'prompt', '')));
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
    concurrent_jobs integer CHECK (concurrent_jobs >= 0),
    weight          integer CHECK (weight >= 1), -- share of the slots at the provider; null: 1
    unpriced_models boolean -- may run models without a price; null: the deployment's default
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
    coalesce(sum(estimated_cost), 0) AS estimated_cost,
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

-- --- money: docs/money.md tells the rules. Amounts are whole micro-dollars. ---------------------

-- One row for each user who was ever held for (`user:` and the id) and one for the whole
-- deployment (`stage`), which counts every job and is locked last: one fixed order, no deadlock.
-- `day_*` and `month_*` count the jobs admitted in that day and month of UTC; the row turns over
-- with the first job of the next. A limit is null where the deployment's default is in force.
CREATE TABLE budgets (
    owner       text PRIMARY KEY CHECK (owner = 'stage' OR owner ~ '^user:.'),
    day_limit   bigint CHECK (day_limit >= 0),
    month_limit bigint CHECK (month_limit >= 0),
    total_limit bigint CHECK (total_limit >= 0),
    day         date NOT NULL DEFAULT '1970-01-01',
    day_spent   bigint NOT NULL DEFAULT 0 CHECK (day_spent >= 0),
    day_held    bigint NOT NULL DEFAULT 0 CHECK (day_held >= 0),
    month_spent bigint NOT NULL DEFAULT 0 CHECK (month_spent >= 0),
    month_held  bigint NOT NULL DEFAULT 0 CHECK (month_held >= 0),
    spent       bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
    held        bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    prepaid      boolean NOT NULL DEFAULT false, -- from the first credits on: jobs are paid from them
    granted      bigint NOT NULL DEFAULT 0 CHECK (granted >= 0),
    credit_spent bigint NOT NULL DEFAULT 0 CHECK (credit_spent >= 0),
    credit_held  bigint NOT NULL DEFAULT 0 CHECK (credit_held >= 0),
    updated_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50); -- rewritten for every job: room for the new version on the same page

CREATE TRIGGER budgets_touch BEFORE UPDATE OF day_limit, month_limit, total_limit, granted ON budgets
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The money of one job: what is held for it and, once it is settled, what its user paid (`charged`,
-- never more than the hold) and what the stage paid beyond that (`overrun`). `assumed`: the provider
-- never told the cost, and the estimate stands for it.
CREATE TABLE holds (
    job_id     uuid PRIMARY KEY,
    user_id    text NOT NULL,
    model_id   text NOT NULL,
    estimate   bigint NOT NULL CHECK (estimate >= 0),
    amount     bigint NOT NULL CHECK (amount >= 0),
    prepaid    boolean NOT NULL,
    user_day   date NOT NULL,
    stage_day  date NOT NULL,
    held_at    timestamptz NOT NULL,
    settled_at timestamptz,
    charged    bigint NOT NULL DEFAULT 0 CHECK (charged BETWEEN 0 AND amount),
    overrun    bigint NOT NULL DEFAULT 0 CHECK (overrun >= 0),
    assumed    boolean NOT NULL DEFAULT false
);

CREATE INDEX holds_open_idx ON holds (user_id) INCLUDE (amount) WHERE settled_at IS NULL;

-- Double entry: each row takes `amount` from one account and gives it to another. Accounts:
-- `credit:<user>` what is left of granted credits, `invoice:<user>` what a user without credits
-- owes (negative), `held:<user>`, `stage` what the deployment pays itself, `provider` what
-- the provider charged, `grants` where credits come from.
CREATE TABLE ledger (
    entry        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text NOT NULL CHECK (subject <> ''), -- a job, a prediction or the key of a grant
    movement     text NOT NULL CHECK (movement IN (
        'hold', 'charge', 'release', 'overrun', 'orphan', 'grant', 'correction', 'late'
    )),
    job_id       uuid,
    from_account text NOT NULL,
    to_account   text NOT NULL CHECK (to_account <> from_account),
    amount       bigint NOT NULL CHECK (amount > 0),
    at           timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject, movement)
);

CREATE INDEX ledger_job_id_idx ON ledger (job_id, entry);

CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only ever added to'
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();

CREATE VIEW account_balances AS
SELECT account, sum(amount)::bigint AS balance
FROM (
    SELECT to_account AS account, amount FROM ledger
    UNION ALL
    SELECT from_account, -amount FROM ledger
) AS entries
GROUP BY account;

-- A model whose prediction cost more than three times its estimate: it takes no new jobs until an
-- operator says so.
CREATE TABLE frozen_models (
    model_id  text PRIMARY KEY,
    job_id    uuid NOT NULL,
    estimate  bigint NOT NULL,
    cost      bigint NOT NULL,
    frozen_at timestamptz NOT NULL DEFAULT now()
);

-- 50, 80 and 100 % of a limit, once each per period and limit. `period` is day, month, total or credit.
CREATE TABLE budget_alerts (
    owner        text NOT NULL,
    period       text NOT NULL CHECK (period IN ('day', 'month', 'total', 'credit')),
    starts       date NOT NULL,
    level        integer NOT NULL CHECK (level IN (50, 80, 100)),
    limit_amount bigint NOT NULL,
    spent        bigint NOT NULL,
    held         bigint NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    claimed_at   timestamptz, -- by the run that publishes it
    published_at timestamptz,
    PRIMARY KEY (owner, period, starts, limit_amount, level)
);

CREATE INDEX budget_alerts_unpublished_idx ON budget_alerts (at) WHERE published_at IS NULL;

-- The row as it counts on that day: the counts of an earlier day or month are over.
CREATE FUNCTION turned_over(it budgets, today date) RETURNS budgets LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF today > it.day THEN
        it.day_spent := 0;
        it.day_held := 0;
        IF date_trunc('month', today) > date_trunc('month', it.day) THEN
            it.month_spent := 0;
            it.month_held := 0;
        END IF;
        it.day := today;
    END IF;
    RETURN it;
END
$$;

-- One row a budget, with a null limit where there is none; credit only for one who has or needs it.
-- `defaults` are the limits of day, month and total; `prepay`: whoever has no credits is refused.
CREATE FUNCTION budget_lines(it budgets, defaults bigint[], prepay boolean)
RETURNS TABLE (period text, starts date, limit_amount bigint, spent bigint, held bigint)
LANGUAGE sql IMMUTABLE AS $$
    SELECT * FROM (VALUES
        ('day', it.day, coalesce(it.day_limit, defaults[1]), it.day_spent, it.day_held),
        ('month', date_trunc('month', it.day)::date, coalesce(it.month_limit, defaults[2]),
            it.month_spent, it.month_held),
        ('total', date '1970-01-01', coalesce(it.total_limit, defaults[3]), it.spent, it.held),
        ('credit', date '1970-01-01', it.granted, it.credit_spent,
            it.credit_held)
    ) AS lines (period, starts, limit_amount, spent, held)
    WHERE period <> 'credit' OR it.prepaid OR prepay
$$;

-- The budget as it counts today, made if it is not there, and locked.
CREATE FUNCTION opened(whose text, today date) RETURNS budgets LANGUAGE plpgsql AS $$
DECLARE
    it budgets;
BEGIN
    SELECT * INTO it FROM budgets WHERE owner = whose FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO budgets (owner, day) VALUES (whose, today) ON CONFLICT (owner) DO NOTHING;
        SELECT * INTO STRICT it FROM budgets WHERE owner = whose FOR UPDATE;
    END IF;
    RETURN turned_over(it, today);
END
$$;

-- Add to a budget that was opened: `wanted` is held, `paid` is spent. The budget after it.
CREATE FUNCTION added(it budgets, wanted bigint, paid bigint) RETURNS budgets LANGUAGE sql AS $$
    UPDATE budgets SET
        day = it.day, day_spent = it.day_spent + paid, day_held = it.day_held + wanted,
        month_spent = it.month_spent + paid, month_held = it.month_held + wanted,
        spent = it.spent + paid, held = it.held + wanted,
        credit_held = it.credit_held + CASE WHEN it.prepaid THEN wanted ELSE 0 END
    WHERE owner = it.owner
    RETURNING *
$$;

-- Hold money for one job in one budget: one conditional UPDATE, which waits for those before it and
-- then asks again. Raises VSL02 with the limit that has no room.
CREATE FUNCTION hold_in(whose text, wanted bigint, today date, defaults bigint[], prepay boolean)
RETURNS budgets LANGUAGE plpgsql AS $$
DECLARE
    it    budgets;
    short record;
BEGIN
    FOR attempt IN 1..2 LOOP
        UPDATE budgets b SET
            day = greatest(b.day, today),
            day_spent = CASE WHEN today > b.day THEN 0 ELSE b.day_spent END,
            day_held = CASE WHEN today > b.day THEN 0 ELSE b.day_held END + wanted,
            month_spent = CASE WHEN today >= next_month(b.day) THEN 0 ELSE b.month_spent END,
            month_held = CASE WHEN today >= next_month(b.day) THEN 0 ELSE b.month_held END + wanted,
            held = b.held + wanted,
            credit_held = b.credit_held + CASE WHEN b.prepaid THEN wanted ELSE 0 END
        WHERE b.owner = whose
            AND has_room(coalesce(b.day_limit, defaults[1]), wanted
                + CASE WHEN today > b.day THEN 0 ELSE b.day_spent + b.day_held END)
            AND has_room(coalesce(b.month_limit, defaults[2]), wanted
                + CASE WHEN today >= next_month(b.day) THEN 0 ELSE b.month_spent + b.month_held END)
            AND has_room(coalesce(b.total_limit, defaults[3]), wanted + b.spent + b.held)
            AND (NOT (b.prepaid OR prepay)
                OR has_room(b.granted, wanted + b.credit_spent + b.credit_held))
        RETURNING * INTO it;
        IF FOUND THEN
            RETURN it;
        END IF;
        -- It is not there yet, or has no room. If it has by now, the row is locked: asked again, it is held.
        it := opened(whose, today);
        FOR short IN
            SELECT * FROM budget_lines(it, defaults, prepay)
            WHERE limit_amount = 0 OR spent + held + wanted > limit_amount
        LOOP
            RAISE EXCEPTION 'no room in the % budget of %', short.period, whose USING
                ERRCODE = 'VSL02', DETAIL = (to_jsonb(short) || jsonb_build_object('owner', whose))::text;
        END LOOP;
    END LOOP;
    RAISE EXCEPTION 'the budget of % has room and takes nothing', whose;
END
$$;

-- A limit of nothing is closed, for what is free, too; a null one is none.
CREATE FUNCTION has_room(most bigint, needed bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT most IS NULL OR (most > 0 AND needed <= most)
$$;

CREATE FUNCTION next_month(day date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT (date_trunc('month', day::timestamp) + interval '1 month')::date
$$;

-- The levels that the budget has reached, written down; true if one was not known yet.
CREATE FUNCTION note_levels(it budgets, defaults bigint[], prepay boolean)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (
        reached(coalesce(it.day_limit, defaults[1]), it.day_spent + it.day_held)
        OR reached(coalesce(it.month_limit, defaults[2]), it.month_spent + it.month_held)
        OR reached(coalesce(it.total_limit, defaults[3]), it.spent + it.held)
        OR (it.prepaid AND reached(it.granted, it.credit_spent + it.credit_held))
    ) THEN
        RETURN false; -- as almost always, and this is the short way to know
    END IF;
    INSERT INTO budget_alerts (owner, period, starts, level, limit_amount, spent, held)
    SELECT it.owner, period, starts, level, limit_amount, spent, held
    FROM budget_lines(it, defaults, prepay), (VALUES (50), (80), (100)) AS levels (level)
    WHERE limit_amount > 0 AND (spent + held) * 100 >= limit_amount * level
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

-- Half of a limit, the first level.
CREATE FUNCTION reached(most bigint, used bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(most > 0 AND used * 2 >= most, false)
$$;

-- Hold `wanted` for a job: in its user's budget, then in the stage's, or in none. True if a budget
-- reached a level. Raises VSL02 for a budget without room and VSL03 for a frozen model.
CREATE FUNCTION hold_money(
    for_job uuid, for_user text, of_model text, expected bigint, wanted bigint, today date,
    user_defaults bigint[], stage_defaults bigint[], prepay boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    user_row  budgets;
    stage_row budgets;
    by_user   boolean;
    by_stage  boolean;
BEGIN
    IF EXISTS (SELECT FROM frozen_models WHERE model_id = of_model) THEN
        RAISE EXCEPTION 'the model % is frozen', of_model USING ERRCODE = 'VSL03';
    END IF;
    today := least(today, (now() AT TIME ZONE 'UTC')::date);
    user_row := hold_in('user:' || for_user, wanted, today, user_defaults, prepay);
    IF wanted > 0 THEN
        INSERT INTO ledger (subject, movement, job_id, from_account, to_account, amount)
        VALUES (for_job, 'hold', for_job, funds_of(for_user, user_row.prepaid),
            'held:' || for_user, wanted);
    END IF;
    stage_row := hold_in('stage', wanted, today, stage_defaults, false);
    INSERT INTO holds (
        job_id, user_id, model_id, estimate, amount, prepaid, user_day, stage_day, held_at
    ) VALUES (
        for_job, for_user, of_model, expected, wanted, user_row.prepaid, user_row.day,
        stage_row.day, now()
    );
    by_user := note_levels(user_row, user_defaults, prepay);
    by_stage := note_levels(stage_row, stage_defaults, false); -- also where OR had its answer
    RETURN by_user OR by_stage;
END
$$;

CREATE FUNCTION funds_of(whose text, prepaid boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN prepaid THEN 'credit:' ELSE 'invoice:' END || whose
$$;

-- In one budget: `freed` is held no more, `paid` is spent, both of the period they were held in.
CREATE FUNCTION spend(whose text, freed bigint, paid bigint, held_on date, prepaid boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE budgets SET
        day_held = day_held - CASE WHEN day = held_on THEN freed ELSE 0 END,
        day_spent = day_spent + CASE WHEN day = held_on THEN paid ELSE 0 END,
        month_held = month_held
            - CASE WHEN next_month(day) = next_month(held_on) THEN freed ELSE 0 END,
        month_spent = month_spent
            + CASE WHEN next_month(day) = next_month(held_on) THEN paid ELSE 0 END,
        held = held - freed,
        spent = spent + paid,
        credit_held = credit_held - CASE WHEN spend.prepaid THEN freed ELSE 0 END,
        credit_spent = credit_spent + CASE WHEN spend.prepaid THEN paid ELSE 0 END
    WHERE owner = whose;
END
$$;

-- What no user pays: an orphaned prediction, a cost learnt after its hold was given back. False if it
-- was charged before.
CREATE FUNCTION charge_stage(about text, by_movement text, for_job uuid, cost bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger (subject, movement, job_id, from_account, to_account, amount)
    VALUES (about, by_movement, for_job, 'stage', 'provider', cost)
    ON CONFLICT (subject, movement) DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM added(opened('stage', (now() AT TIME ZONE 'UTC')::date), 0, cost);
    RETURN true;
END
$$;

-- The cost of a job's own prediction, once it is known: the user pays it up to the hold, the stage
-- what is beyond, and the rest of the hold is free again. Repeating it changes nothing. A null cost
-- will never be known: the estimate stands for it, and is corrected if the cost turns up after all.
CREATE FUNCTION settle_money(for_job uuid, cost bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    h     holds;
    funds text;
    total bigint;
    paid  bigint;
BEGIN
    SELECT * INTO h FROM holds WHERE job_id = for_job FOR UPDATE;
    IF NOT FOUND THEN
        IF coalesce(cost, 0) = 0 THEN
            RETURN; -- refused before anything was held
        END IF;
        h := hold_afterwards(for_job, cost);
    END IF;
    funds := funds_of(h.user_id, h.prepaid);
    total := coalesce(cost, h.estimate);
    IF h.settled_at IS NULL THEN
        -- The budgets last: jobs wait for them.
        paid := least(total, h.amount);
        UPDATE holds SET settled_at = now(), charged = paid, overrun = total - paid,
            assumed = cost IS NULL
        WHERE job_id = for_job;
        INSERT INTO ledger (subject, movement, job_id, from_account, to_account, amount)
        SELECT for_job, movement, for_job, from_account, to_account, amount
        FROM (VALUES
            ('charge', 'held:' || h.user_id, 'provider', paid),
            ('release', 'held:' || h.user_id, funds, h.amount - paid),
            ('overrun', 'stage', 'provider', total - paid)
        ) AS movements (movement, from_account, to_account, amount)
        WHERE amount > 0;
        PERFORM spend('user:' || h.user_id, h.amount, paid, h.user_day, h.prepaid);
        PERFORM spend('stage', h.amount, total, h.stage_day, false);
    ELSIF cost IS NOT NULL AND h.assumed THEN
        paid := least(total, h.amount);
        PERFORM spend('user:' || h.user_id, 0, paid - h.charged, h.user_day, h.prepaid);
        PERFORM spend('stage', 0, total - h.charged, h.stage_day, false);
        INSERT INTO ledger (subject, movement, job_id, from_account, to_account, amount)
        SELECT for_job, movement, for_job, from_account, to_account, amount
        FROM (VALUES
            ('correction', funds, 'provider', paid - h.charged),
            ('correction', 'provider', funds, h.charged - paid),
            ('overrun', 'stage', 'provider', total - paid)
        ) AS movements (movement, from_account, to_account, amount)
        WHERE amount > 0;
        UPDATE holds SET charged = paid, overrun = total - paid, assumed = false
        WHERE job_id = for_job;
    ELSIF cost IS NULL OR cost <= h.charged + h.overrun THEN
        RETURN; -- repeated: a model that was unfrozen meanwhile stays so
    ELSIF charge_stage(for_job::text, 'late', for_job, cost - h.charged - h.overrun) THEN
        UPDATE holds SET overrun = cost - h.charged WHERE job_id = for_job;
    ELSE
        RETURN;
    END IF;
    IF h.estimate > 0 AND cost > 3 * h.estimate THEN
        INSERT INTO frozen_models (model_id, job_id, estimate, cost)
        VALUES (h.model_id, for_job, h.estimate, cost) ON CONFLICT (model_id) DO NOTHING;
    END IF;
END
$$;

-- For a job that was admitted before there were holds: what it cost was never asked for.
CREATE FUNCTION hold_afterwards(for_job uuid, wanted bigint) RETURNS holds LANGUAGE plpgsql AS $$
DECLARE
    job   record;
    users budgets;
    stage budgets;
    h     holds;
BEGIN
    SELECT user_id, model_id, (estimated_cost * 1000000)::bigint AS estimate,
        (least(created_at, now()) AT TIME ZONE 'UTC')::date AS day
    INTO STRICT job FROM jobs WHERE job_id = for_job;
    users := added(opened('user:' || job.user_id, job.day), wanted, 0);
    stage := added(opened('stage', job.day), wanted, 0);
    INSERT INTO holds (
        job_id, user_id, model_id, estimate, amount, prepaid, user_day, stage_day, held_at
    ) VALUES (
        for_job, job.user_id, job.model_id, job.estimate, wanted, users.prepaid, users.day,
        stage.day, now()
    ) RETURNING * INTO h;
    INSERT INTO ledger (subject, movement, job_id, from_account, to_account, amount)
    VALUES (for_job, 'hold', for_job, funds_of(job.user_id, h.prepaid), 'held:' || job.user_id, wanted);
    RETURN h;
END
$$;

-- Credits for a user, once per key; false when the key was used. Raises VSL04 when it was used for
-- another user or amount.
CREATE FUNCTION grant_credit(grant_key text, for_user text, granting bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger (subject, movement, from_account, to_account, amount)
    VALUES (grant_key, 'grant', 'grants', 'credit:' || for_user, granting)
    ON CONFLICT (subject, movement) DO NOTHING;
    IF NOT FOUND THEN
        IF NOT EXISTS (
            SELECT FROM ledger WHERE subject = grant_key AND movement = 'grant'
                AND to_account = 'credit:' || for_user AND amount = granting
        ) THEN
            RAISE EXCEPTION 'the key stands for other credits' USING ERRCODE = 'VSL04';
        END IF;
        RETURN false;
    END IF;
    INSERT INTO budgets (owner, prepaid, granted) VALUES ('user:' || for_user, true, granting)
    ON CONFLICT (owner) DO UPDATE SET prepaid = true, granted = budgets.granted + EXCLUDED.granted;
    RETURN true;
END
$$;

-- What `python -m database.migrate` keeps: a database made from this file needs no migration yet.
CREATE TABLE schema_migrations (
    version    text PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO schema_migrations (version, name, checksum) VALUES
    ('0001', 'initial', '96f33abf60579cd3bbf19392ee569d84e7132e3b9d2d0e29957bf20e6d1be6f7'),
    ('0002', 'money', 'af7c874ce226e2749a8ef2fe37e2c217a8ecef0944bffb9e9eb259be4dccddc8'),
    ('0003', 'weights', '3e4749fe285616b1969d5d5bb83efd5bc624c99349a31c495a396da4f4c5b115'),
    ('0004', 'any_models', 'f01277f9c0ff1fde3c78846a18c815dc920a14413024f7c6ded09428168e5c4d'),
    ('0005', 'requests', 'c4aa5de48773825d03d12ded775905c3df482381de16a608e73e57d36a79a930');
