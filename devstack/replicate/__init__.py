"""A stand-in for Replicate: its HTTP API, its webhooks, and real media made without a GPU."""
