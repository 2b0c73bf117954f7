"""The tracking item of each job, idempotency keys and leases: conditional writes."""
