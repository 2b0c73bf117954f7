"""From a request to a created job: validation, idempotency keys, rate limits, the row in PostgreSQL."""
