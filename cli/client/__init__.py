"""The commands that speak to the HTTP API, of a local stack or a deployed stage alike."""
