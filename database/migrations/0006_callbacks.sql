-- Where a client wants to hear of its job's end, and what came of telling it.
ALTER TABLE jobs ADD COLUMN callback_url text;

-- One row a try. `delivery_id` is `end`, or the id of a replay the client asked for.
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
