"""Waiting for a slot at the provider: in a fair queue, until it is the job's turn."""
