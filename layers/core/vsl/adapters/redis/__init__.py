"""Rate limits, status cache, webhook deduplication and waiting places: all of it may be lost."""
