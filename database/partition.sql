-- Cuts `jobs` into months, for a database in use: `psql --single-transaction -f partition.sql`. No
-- row moves: what is there becomes the first partition. See database/README.md.
--
-- The months are ranges of job_id, whose first 48 bits are the time: the primary key, the foreign
-- keys and every ON CONFLICT stay as they are, and a look-up by id touches one month.

CREATE FUNCTION job_id_from(month date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM month::timestamp) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- One month; run it ahead, once a month. A prediction belongs to one job: within its month the
-- index says so, beyond it the live item.
CREATE PROCEDURE add_jobs_month(month date) LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', month);
    name  text := 'jobs_' || to_char(first, 'YYYY_MM');
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF jobs FOR VALUES FROM (%L) TO (%L)',
        name, job_id_from(first), job_id_from((first + interval '1 month')::date));
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (replicate_id) WHERE replicate_id IS NOT NULL',
        name || '_replicate_id_idx', name);
END
$$;

CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT conrelid::regclass::text AS below, conname AS name, pg_get_constraintdef(oid) AS definition,
    NULL::text AS kind
FROM pg_constraint WHERE contype = 'f' AND confrelid = 'jobs'::regclass
UNION ALL
SELECT NULL, tgname, pg_get_triggerdef(oid), 'trigger'
FROM pg_trigger WHERE tgrelid = 'jobs'::regclass AND NOT tgisinternal
UNION ALL
SELECT NULL, indexname, indexdef, 'index'
FROM pg_indexes WHERE tablename = 'jobs' AND indexname NOT IN ('jobs_pkey', 'jobs_replicate_id_idx')
UNION ALL
SELECT NULL, viewname, format('CREATE VIEW %I AS %s', viewname, definition), 'view'
FROM pg_views WHERE schemaname = 'public' AND viewname IN ('usage_by_user_day', 'model_performance');

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT * FROM kept LOOP
        CASE it.kind
            WHEN 'trigger' THEN EXECUTE format('DROP TRIGGER %I ON jobs', it.name);
            WHEN 'index' THEN EXECUTE format('ALTER INDEX %I RENAME TO %I', it.name, 'before_' || it.name);
            WHEN 'view' THEN EXECUTE format('DROP VIEW %I', it.name);
            ELSE EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', it.below, it.name);
        END CASE;
    END LOOP;
END
$$;

ALTER INDEX jobs_pkey RENAME TO before_jobs_pkey;
ALTER TABLE jobs RENAME TO jobs_before;
CREATE TABLE jobs (LIKE jobs_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (job_id);
ALTER TABLE jobs ADD CONSTRAINT jobs_pkey PRIMARY KEY (job_id);

-- Indexes and triggers of the whole; those of the same shape on the old table are taken over.
DO $$
DECLARE
    it   record;
    next date := date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month';
BEGIN
    FOR it IN SELECT * FROM kept WHERE kind = 'index' LOOP
        EXECUTE it.definition;
    END LOOP;
    EXECUTE format('ALTER TABLE jobs ATTACH PARTITION jobs_before FOR VALUES FROM (MINVALUE) TO (%L)',
        job_id_from(next));
    CALL add_jobs_month(next);
    -- No job is refused because nobody added its month.
    CREATE TABLE jobs_beyond PARTITION OF jobs DEFAULT;
    CREATE UNIQUE INDEX jobs_beyond_replicate_id_idx ON jobs_beyond (replicate_id)
        WHERE replicate_id IS NOT NULL;
    FOR it IN SELECT * FROM kept WHERE kind IS DISTINCT FROM 'index' LOOP
        IF it.kind IS NULL THEN
            EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', it.below, it.name, it.definition);
        ELSE
            EXECUTE it.definition;
        END IF;
    END LOOP;
END
$$;
