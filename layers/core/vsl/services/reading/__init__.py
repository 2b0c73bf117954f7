"""Reading jobs through the HTTP API: status, waits for a change, lists, timelines."""
