"""What clients send and are told: requests, callers, lists, callbacks and conditional answers."""
