-- Cuts `jobs` into months, for a database in use: `psql --single-transaction -f partition.sql`. No
-- row moves: what is there becomes the first partition. See database/README.md.
--
-- The months are ranges of job_id, whose first 48 bits are the time: the primary key, the foreign
-- keys and every ON CONFLICT stay as they are, and a look-up by id touches one month.
--
-- Owners, privileges, comments, triggers, foreign keys and every view on the table are kept. What
-- this script does not know how to keep (a materialized view, a policy, statistics ...) it names,
-- and changes nothing.

SELECT set_config('search_path', quote_ident(nspname), true)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = 'jobs'::regclass;

CREATE FUNCTION job_id_from(month date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM month::timestamp) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- One month; run it ahead, once a month. A prediction belongs to one job: within its month the
-- index says so, beyond it the tracking item.
CREATE PROCEDURE add_jobs_month(month date) LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', month);
    name  text := 'jobs_' || to_char(first, 'YYYY_MM');
    owner text := (SELECT relowner::regrole FROM pg_class WHERE oid = 'jobs'::regclass);
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF jobs FOR VALUES FROM (%L) TO (%L)',
        name, job_id_from(first), job_id_from((first + interval '1 month')::date));
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (replicate_id) WHERE replicate_id IS NOT NULL',
        name || '_replicate_id_idx', name);
    EXECUTE format('ALTER TABLE %I OWNER TO %s', name, owner);
END
$$;

-- Views on the table, and views on those: `depth` is how far away they are.
CREATE TEMPORARY TABLE kept_views ON COMMIT DROP AS
WITH RECURSIVE above AS (
    SELECT 'jobs'::regclass::oid AS view, 0 AS depth
    UNION
    SELECT ev_class, depth + 1
    FROM above
        JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = above.view
        JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
    WHERE ev_class <> above.view
)
SELECT view::regclass::text AS name, max(depth) AS depth, relkind,
    format('CREATE VIEW %s%s AS %s', view::regclass,
        ' WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(view)) AS definition
FROM above JOIN pg_class ON pg_class.oid = view WHERE depth > 0 GROUP BY view, relkind, reloptions;

DO $$
DECLARE
    unknown text;
BEGIN
    SELECT string_agg(DISTINCT pg_describe_object(classid, objid, 0), ', ') INTO unknown
    FROM pg_depend
    WHERE refclassid = 'pg_class'::regclass
        AND (refobjid = 'jobs'::regclass OR refobjid IN (SELECT name::regclass FROM kept_views))
        AND classid NOT IN (
            'pg_class'::regclass, 'pg_type'::regclass, 'pg_attrdef'::regclass,
            'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass
        );
    SELECT concat_ws(', ', unknown,
        string_agg(pg_describe_object('pg_class'::regclass, name::regclass, 0), ', ')) INTO unknown
    FROM kept_views WHERE relkind <> 'v';
    IF unknown <> '' THEN
        RAISE EXCEPTION 'jobs cannot be cut with %: drop it first and make it again afterwards', unknown;
    END IF;
END
$$;

-- A new table begins with what ALTER DEFAULT PRIVILEGES says; of an old one that may differ.
CREATE FUNCTION pg_temp.forget_privileges(relation regclass, but_owner boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    role text;
BEGIN
    FOR role IN
        SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
        FROM pg_class, aclexplode(relacl) WHERE oid = relation AND NOT (but_owner AND grantee = relowner)
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', relation, role);
    END LOOP;
    IF NOT but_owner THEN
        EXECUTE format('REVOKE ALL ON %s FROM %s', relation,
            (SELECT relowner::regrole FROM pg_class WHERE oid = relation));
    END IF;
END
$$;

-- What is said again of the new table, and of each view, in the order of `place`.
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
WITH relations AS (
    SELECT 'jobs'::regclass AS relation, 0 AS depth
    UNION ALL
    SELECT name::regclass, depth FROM kept_views
), rights AS (
    SELECT relation, depth, relacl AS acl, NULL AS column FROM relations JOIN pg_class ON oid = relation
    UNION ALL
    SELECT relation, depth, attacl, attname
    FROM relations JOIN pg_attribute ON attrelid = relation WHERE attacl IS NOT NULL
)
SELECT depth, 1 AS place, format('ALTER TABLE %s OWNER TO %s', relation, relowner::regrole) AS statement
FROM relations JOIN pg_class ON oid = relation
UNION ALL
SELECT depth, 2, format('SELECT pg_temp.forget_privileges(%L, %L)', relation, relacl IS NULL)
FROM relations JOIN pg_class ON oid = relation
UNION ALL
SELECT depth, 3, format('GRANT %s%s ON %s TO %s%s', privilege_type, ' (' || quote_ident(rights.column) || ')',
    relation, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM rights, aclexplode(acl)
UNION ALL
SELECT depth, 4, CASE objsubid
    WHEN 0 THEN format('COMMENT ON %s %s IS %L', CASE depth WHEN 0 THEN 'TABLE' ELSE 'VIEW' END, relation, description)
    ELSE format('COMMENT ON COLUMN %s.%I IS %L', relation, attname, description) END
FROM relations
    JOIN pg_description ON classoid = 'pg_class'::regclass AND objoid = relation
    LEFT JOIN pg_attribute ON attrelid = relation AND attnum = objsubid;

CREATE TEMPORARY TABLE kept_below ON COMMIT DROP AS
SELECT 'key' AS kind, conname AS name, conrelid::regclass::text AS below, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND confrelid = 'jobs'::regclass
UNION ALL
SELECT 'trigger', tgname, NULL, pg_get_triggerdef(oid)
FROM pg_trigger WHERE tgrelid = 'jobs'::regclass AND NOT tgisinternal
UNION ALL
SELECT 'index', relname, NULL, pg_get_indexdef(indexrelid)
FROM pg_index JOIN pg_class ON oid = indexrelid
WHERE indrelid = 'jobs'::regclass AND NOT indisprimary AND relname <> 'jobs_replicate_id_idx';

DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT name FROM kept_views ORDER BY depth DESC LOOP
        EXECUTE format('DROP VIEW %s', it.name);
    END LOOP;
    FOR it IN SELECT * FROM kept_below LOOP
        CASE it.kind
            WHEN 'trigger' THEN EXECUTE format('DROP TRIGGER %I ON jobs', it.name);
            WHEN 'index' THEN EXECUTE format('ALTER INDEX %I RENAME TO %I', it.name, 'before_' || it.name);
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
    FOR it IN SELECT definition FROM kept_below WHERE kind = 'index' LOOP
        EXECUTE it.definition;
    END LOOP;
    EXECUTE format('ALTER TABLE jobs ATTACH PARTITION jobs_before FOR VALUES FROM (MINVALUE) TO (%L)',
        job_id_from(next));
    FOR it IN SELECT statement FROM kept WHERE depth = 0 ORDER BY place LOOP
        EXECUTE it.statement;
    END LOOP;
    CALL add_jobs_month(next);
    -- No job is refused because its month was not added.
    CREATE TABLE jobs_beyond PARTITION OF jobs DEFAULT;
    CREATE UNIQUE INDEX jobs_beyond_replicate_id_idx ON jobs_beyond (replicate_id)
        WHERE replicate_id IS NOT NULL;
    EXECUTE format('ALTER TABLE jobs_beyond OWNER TO %s',
        (SELECT relowner::regrole FROM pg_class WHERE oid = 'jobs'::regclass));
    FOR it IN SELECT * FROM kept_below WHERE kind <> 'index' LOOP
        EXECUTE CASE it.kind WHEN 'trigger' THEN it.definition
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', it.below, it.name, it.definition) END;
    END LOOP;
    FOR it IN
        SELECT definition AS statement, depth, 0 AS place FROM kept_views
        UNION ALL
        SELECT statement, depth, place FROM kept WHERE depth > 0 ORDER BY depth, place
    LOOP
        EXECUTE it.statement;
    END LOOP;
END
$$;
