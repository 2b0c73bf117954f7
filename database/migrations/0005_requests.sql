-- What a client says about its job, to find it by, and what the provider said of an error.
ALTER TABLE jobs ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object');
ALTER TABLE jobs ADD COLUMN error_detail text;
CREATE INDEX jobs_metadata_idx ON jobs USING gin (metadata jsonb_path_ops);
-- Whole words and their beginnings, in whatever language.
CREATE INDEX jobs_prompt_idx ON jobs USING gin (to_tsvector('simple', coalesce(parameters->>'prompt', '')));
